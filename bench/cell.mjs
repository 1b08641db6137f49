// One subject at one work, in a process of its own: `node cell.mjs '{"work":"memory","subject":"fairlead","settings":{…}}'`.
// The outcome goes to its parent, or is printed if there is none. Its parent's death is its own.
import { randomUUID } from "node:crypto";

process.on("disconnect", () => process.exit(1));
const { work, subjectsOf = work, subject, settings } = JSON.parse(process.argv[2]);
const [{ run }, implementation] = await Promise.all([
  import(`./works/${work}.mjs`),
  import(`./subjects/${subjectsOf}-${subject}.mjs`),
]);
// A cell of a run is told its queue, and its parent removes that; one alone leaves its queue behind.
const outcome = await run(implementation, { subject, queue: `${work}-${randomUUID()}`, ...settings });
// Some libraries leave timers and sockets behind; what was to be measured has been.
if (process.send === undefined) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
} else {
  process.send(outcome, () => process.exit(0));
}
