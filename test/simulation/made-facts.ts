import type { Fact } from "./journal.js";
import type { CallPlan } from "./plan.js";

export const PLAN: CallPlan = {
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

export const SENT = {
  type: "sent",
  call: 0,
  process: "server",
  wireRun: "",
  piece: undefined,
  bytes: 10,
  hasFlowControl: true,
} as const;
const SLOTS = { expedite: 1, standard: 1, bulk: 1 } as const;
export const RUN = {
  type: "run",
  run: 1,
  call: 0,
  process: "server",
  sink: "work",
  lane: "standard",
  concurrency: SLOTS,
  stallMs: 1_000,
  resumeMs: 10_000,
  keepsAll: true,
  isUploaded: false,
  isIntact: true,
} as const;
export const HELD = { type: "held", process: "server", sink: "work", lane: "standard", concurrency: SLOTS } as const;
export const ENDED = { type: "ended", call: 0, outcome: "ok", told: "ok" } as const;
export const SETTLED = { type: "settled", call: 0, outcome: "ok" } as const;
export const CALL: Fact = { type: "call", call: 0, process: "client", plan: PLAN };
export const taken = (index: number): Fact => ({ type: "taken", call: 0, run: 1, index, bytes: 10 });
export const ARRIVED = {
  type: "arrived",
  call: 0,
  process: "client",
  server: "server",
  frame: "Response",
  version: "V5",
  counter: 0,
  run: undefined,
  bytes: 10,
  sequence: undefined,
  piece: undefined,
  pieces: undefined,
  total: undefined,
  aliveMs: undefined,
  extendMs: undefined,
  isRefusal: false,
} as const;
export const arrived = (sequence: number): Fact => ({ ...ARRIVED, sequence });
export const alive = (sequence: number, intervalMs = 1_000): Fact => ({
  type: "alive",
  call: 0,
  process: "client",
  server: "server",
  intervalMs,
  sequence,
  isOver: false,
});
export const resumed = (counter: number, received = 1, inbox = "inbox"): Fact => ({
  type: "resumed",
  call: 0,
  process: "client",
  inbox,
  counter,
  received,
});
export const heard = (counter: number): Fact => ({
  type: "resume-heard",
  call: 0,
  process: "server",
  counter,
  roomMs: 100,
});
export const REQUESTED: Fact = { type: "requested", call: 0, process: "client", inbox: "inbox", isUpload: false };
export const GONE: Fact = { type: "inbox-gone", process: "client", inbox: "inbox" };
export const LIVE: Fact = { type: "inbox-live", process: "client", inbox: "another" };
export const failed = (outcome: string, message: string): Fact => ({ type: "settled", call: 0, outcome, message });
export const respond = (index: number): Fact => ({ type: "respond", run: 1, index });

/** A run in which everything is as it should be. */
export const GOOD: readonly Fact[] = [
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
  { ...ARRIVED, frame: "End", total: 2 },
  SETTLED,
  { type: "told", call: 0, how: "end", isOver: false },
  ENDED,
];
