import { callBugs } from "./bugs/call-bugs.js";
import { deadlineBugs } from "./bugs/deadline-bugs.js";
import { flowBugs } from "./bugs/flow-bugs.js";
import type { PlantedBug } from "./bugs/planted-bug.js";
import { resumeBugs } from "./bugs/resume-bugs.js";

export const plantedBugs: readonly PlantedBug[] = [...flowBugs, ...callBugs, ...deadlineBugs, ...resumeBugs];
