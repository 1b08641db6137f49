import { describe, expect, it } from "vitest";
import type { CrashOutcome } from "../../../tools/crash/crash.js";
import { crashFaults, crashSummary } from "../../../tools/crash/crash-summary.js";
import { toStuckEvents } from "../../../tools/crash/stuck-events.js";

const depth = { ready: 0, delayed: 0, inProcessing: 0, deadLetters: 2 };
const load = {
  posted: 5,
  received: 5,
  duplicates: 0,
  lost: 0,
  notPosted: 0,
  unknown: 0,
  acksFailed: 0,
  longestGapMs: 1,
};
const outcome: CrashOutcome = {
  kills: 1,
  load,
  swept: 0,
  stuck: toStuckEvents(depth, depth, 5_000),
  deaths: [],
  failure: undefined,
  seconds: 1,
};

describe("the summary of npm run crash", () => {
  it("says 0 stuck where the broker tells all", () => {
    expect(crashSummary(outcome)).toMatch(/^stuck +0$/m);
    expect(crashFaults(outcome)).toEqual([]);
  });

  it("does not say 0 of what the broker does not tell, but what was seen, and for how long nothing came", () => {
    const stuck = toStuckEvents(depth, { ...depth, delayed: undefined, inProcessing: undefined }, 15_000);
    expect(crashSummary({ ...outcome, stuck })).toMatch(
      /^stuck +ready 0; not told: delayed, in processing; nothing came for 15 s$/m,
    );
    expect(crashFaults({ ...outcome, stuck })).toEqual([]);
  });

  it("fails by what is left in the queue, and by what was given up", () => {
    const after = { ...depth, ready: 1, delayed: 2, inProcessing: 3, deadLetters: 6 };
    const stuck = toStuckEvents(depth, after, 5_000);
    expect(crashSummary({ ...outcome, stuck })).toMatch(/^stuck +10$/m);
    expect(crashFaults({ ...outcome, stuck })).toEqual(["6 events are stuck in the queue", "4 events were given up"]);
  });

  it("fails by each server that died by itself", () => {
    const deaths = ["server 1 ended by itself with 1: x", "server 2 ended by itself with SIGABRT: y"];
    expect(crashSummary({ ...outcome, deaths })).toMatch(/^died +2$/m);
    expect(crashFaults({ ...outcome, deaths })).toEqual(deaths);
  });
});
