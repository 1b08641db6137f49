import type { Fact } from "./journal.js";
import { arrived, CALL, ENDED, GOOD, HELD, RUN, respond, SENT, taken } from "./made-facts.js";

/** What must be seen, and the run in which it happens. */
export const BAD: readonly (readonly [id: string, what: string, facts: readonly Fact[]])[] = [
  ["S-01", "a call never ends", GOOD.slice(0, -1)],
  ["S-01", "a call ends twice", [...GOOD, ENDED]],
  ["S-01", "a response comes after the end", [...GOOD.slice(0, -6), ENDED, taken(1)]],
  ["S-01", "a sink tells two ends", [...GOOD, { type: "told", call: 0, how: "fail", isOver: false }]],
  ["S-01", "the end is told differently", [...GOOD.slice(0, -1), { ...ENDED, told: "TIMEOUT" }]],
  ["S-02", "a healthy call fails", [...GOOD.slice(0, -1), { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" }]],
  ["S-03", "a response comes twice", [...GOOD.slice(0, 7), taken(0)]],
  ["S-03", "a response is missing", GOOD.filter((fact) => fact.type !== "taken" || fact.index !== 0)],
  ["S-03", "the last response is missing", GOOD.filter((fact) => fact.type !== "taken" || fact.index !== 1)],
  ["S-03", "responses change places", [CALL, RUN, respond(0), respond(1), taken(1), taken(0), ENDED]],
  ["S-03", "a response is another's", [...GOOD.slice(0, 6), taken(-1)]],
  ["S-03", "a request is not as it was made", [CALL, { ...RUN, isIntact: false }]],
  [
    "S-03",
    "responses of two runs are mixed",
    [...GOOD.slice(0, 7), { ...RUN, run: 2 }, { ...taken(1), run: 2 } as Fact],
  ],
  [
    "S-04",
    "more is sent than the window allows",
    [CALL, RUN, { ...SENT, sequence: 1 }, { ...SENT, sequence: 2 }, { ...SENT, sequence: 3 }],
  ],
  ["S-04", "more bytes are sent", [CALL, RUN, { ...SENT, sequence: 1, bytes: 100 }, { ...SENT, sequence: 2 }]],
  ["S-05", "a server holds too many", [{ ...HELD, count: 1, sum: 4 }]],
  ["S-05", "a lane holds more than it may borrow", [{ ...HELD, count: 2, sum: 2 }]],
  ["S-05", "a lane runs more than it may borrow", [CALL, RUN, { ...RUN, run: 2, call: 1 }]],
  ["S-06", "a client holds too many", [CALL, RUN, { ...SENT, sequence: 1 }, ...[1, 2, 3].map(arrived)]],
  ["S-07", "a call stands still", [...GOOD.slice(0, -1), { ...ENDED, outcome: "TIMEOUT", told: "TIMEOUT" }]],
  ["S-08", "a handler starts twice", [CALL, RUN, { type: "run-over", run: 1 }, { ...RUN, run: 2 }]],
  ["S-09", "something is left in a table", [...GOOD, { type: "left", process: "client", table: "calls", count: 1 }]],
  ["S-17", "a server keeps too much", [{ type: "retained", process: "server", bytes: 11, maxBytes: 10 }]],
  ["S-10", "a promise hangs", [...GOOD, { type: "unsettled", process: "client", promise: "close" }]],
];
