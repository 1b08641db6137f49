import { describe, expect, it } from "vitest";
import { invariants, violationsIn } from "./invariants.js";
import type { Fact } from "./journal.js";
import type { CallPlan } from "./plan.js";

const PLAN: CallPlan = {
  number: 0,
  client: 0,
  sink: "work",
  startMs: 0,
  kind: "stream",
  callId: undefined,
  timeoutMs: 120_000,
  isGenerous: true,
  window: 2,
  windowBytes: 100,
  stallMs: 1_000,
  priority: "standard",
  idempotent: false,
  allowKeepAlive: true,
  requestBytes: 0,
  handler: {
    responses: 2,
    maxResponseBytes: 10,
    maxPauseMs: 0,
    style: "context",
    keepAliveMs: undefined,
    ending: "end",
    failsWith: "NOT_FOUND",
  },
  reader: { kind: "eager", after: 0, maxPauseMs: 0 },
  abort: undefined,
  isWatched: true,
};

const SENT = { type: "sent", call: 0, process: "server", wireRun: "", bytes: 10, hasFlowControl: true } as const;
const RUN = { type: "run", run: 1, call: 0, process: "server", sink: "work", capacity: 1, isIntact: true } as const;
const ENDED = { type: "ended", call: 0, outcome: "ok", told: "ok" } as const;
const CALL: Fact = { type: "call", call: 0, process: "client", plan: PLAN };
const taken = (index: number): Fact => ({ type: "taken", call: 0, run: 1, index, bytes: 10 });
const arrived = (sequence: number): Fact => ({
  type: "arrived",
  call: 0,
  process: "client",
  server: "server",
  sequence,
});
const respond = (index: number): Fact => ({ type: "respond", run: 1, index });

/** A run in which everything is as it should be. */
const GOOD: readonly Fact[] = [
  CALL,
  RUN,
  respond(0),
  { ...SENT, sequence: 1 },
  arrived(1),
  { type: "told", call: 0, how: "respond", isOver: false },
  taken(0),
  respond(1),
  { ...SENT, sequence: 2 },
  arrived(2),
  taken(1),
  { type: "run-over", run: 1 },
  { type: "told", call: 0, how: "end", isOver: false },
  ENDED,
];

/** What must be seen, and the run in which it happens. */
const BAD: readonly (readonly [id: string, what: string, facts: readonly Fact[]])[] = [
  ["S-01", "a call never ends", GOOD.slice(0, -1)],
  ["S-01", "a call ends twice", [...GOOD, ENDED]],
  ["S-01", "a response comes after the end", [...GOOD.slice(0, -4), ENDED, taken(1)]],
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
  ["S-05", "a server holds too many", [{ type: "held", process: "server", count: 2, capacity: 1 }]],
  ["S-05", "a server runs too many", [CALL, RUN, { ...RUN, run: 2, call: 1 }]],
  ["S-06", "a client holds too many", [CALL, RUN, { ...SENT, sequence: 1 }, ...[1, 2, 3].map(arrived)]],
  ["S-07", "a call stands still", [...GOOD.slice(0, -1), { ...ENDED, outcome: "TIMEOUT", told: "TIMEOUT" }]],
  ["S-08", "a handler starts twice", [CALL, RUN, { type: "run-over", run: 1 }, { ...RUN, run: 2 }]],
  ["S-09", "something is left in a table", [...GOOD, { type: "left", process: "client", table: "calls", count: 1 }]],
  ["S-10", "a promise hangs", [...GOOD, { type: "unsettled", process: "client", promise: "close" }]],
];

function brokenIds(facts: readonly Fact[]): string[] {
  return [
    ...new Set(violationsIn(facts.map((fact, index) => ({ atMs: index, fact }))).map(({ invariant }) => invariant)),
  ];
}

describe("the invariants", () => {
  it("find nothing in a run in which everything is as it should be", () => {
    expect(brokenIds(GOOD)).toEqual([]);
  });

  it.each(BAD)("%s sees that %s", (id, _what, facts) => {
    expect(brokenIds(facts)).toContain(id);
  });

  it("have a hand-made violation each", () => {
    expect([...new Set(BAD.map(([id]) => id))].sort()).toEqual(invariants.map(({ id }) => id).sort());
  });

  it("excuse a call that hung on something broken, and expect nothing of the dead", () => {
    const harmed: Fact = { type: "harm", call: 0, why: "lose-connection" };
    expect(brokenIds([CALL, harmed, { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" }])).toEqual([]);
    expect(brokenIds([CALL, { type: "died", process: "client" }])).toEqual([]);
  });
});
