import { expect, test } from "vitest";
import { Limit, pause } from "../../../src/core/limit.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { deferred } from "../../../src/util/deferred.js";
import { Ending } from "../../../src/util/ending.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const never = new Promise<never>(() => {});

test("passes the outcome through and leaves no timer", async () => {
  const clock = new VirtualClock();
  const limit = new Limit({ clock, what: "try", timeoutMs: 100 });
  expect(await limit.race(Promise.resolve(7))).toBe(7);
  await expect(limit.race(Promise.reject(new Error("no")))).rejects.toThrow("no");
  limit.dispose();
  expect(clock.pending).toBe(0);
});

test("rejects with UNAVAILABLE at the timeout, and says what failed last", async () => {
  const clock = new VirtualClock();
  const limit = new Limit({ clock, what: "try", timeoutMs: 100, lastError: () => new Error("refused") });
  const outcome = limit.race(never);
  outcome.catch(() => undefined);
  await clock.pass(100);
  await expect(outcome).rejects.toMatchObject({
    code: "UNAVAILABLE",
    message: "try: no success within 100 ms; the last failure: refused",
  });
  await expect(limit.race(Promise.resolve(1))).rejects.toMatchObject({ code: "UNAVAILABLE" });
});

test("rejects with ABORTED by the caller's signal, with its reason as cause, also when aborted before", async () => {
  const clock = new VirtualClock();
  const reason = new Error("changed my mind");
  const limit = new Limit({ clock, what: "try", signal: AbortSignal.abort(reason) });
  expect(() => limit.throwIfOver()).toThrow(MessagingError);
  await expect(limit.race(never)).rejects.toMatchObject({ code: "ABORTED", cause: reason });
});

test("rejects with the reason of what has ended", async () => {
  const clock = new VirtualClock();
  const ended = new Ending<MessagingError>();
  const limit = new Limit({ clock, what: "try", ended: [ended] });
  const outcome = limit.race(never);
  ended.end(new MessagingError("CLOSED", "over"));
  await expect(outcome).rejects.toMatchObject({ code: "CLOSED", message: "over" });
});

test("hands a late result to whoever has to clean it up, and swallows a late error", async () => {
  const clock = new VirtualClock();
  const late: string[] = [];
  const ended = new Ending<MessagingError>();
  const limit = new Limit({ clock, what: "try", ended: [ended] });
  const result = deferred<string>();
  const outcome = limit.race(result.promise, (value) => late.push(value));
  ended.end(new MessagingError("CLOSED", "over"));
  await expect(outcome).rejects.toMatchObject({ code: "CLOSED" });
  result.resolve("late");
  await clock.settle();
  expect(late).toEqual(["late"]);
});

test("pause waits on the clock and cleans up when it is cut short", async () => {
  const clock = new VirtualClock();
  const signal = new AbortController();
  const limit = new Limit({ clock, what: "try", signal: signal.signal });
  const paused = pause(clock, 50, limit);
  await clock.pass(50);
  await paused;
  const cut = pause(clock, 50, limit);
  signal.abort();
  await expect(cut).rejects.toMatchObject({ code: "ABORTED" });
  expect(clock.pending).toBe(0);
});
