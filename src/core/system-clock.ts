import type { Clock } from "../ports/clock.js";
import { machineClock } from "../util/machine-clock.js";

/** The machine's clock: what is used where none is given. */
export const systemClock: Clock = machineClock;
