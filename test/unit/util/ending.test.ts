import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { onAbort } from "../../../src/util/abort.js";
import { Ending } from "../../../src/util/ending.js";
import { collectGarbage } from "../../support/collect-garbage.js";

/**
 * The engine itself may hold a few: a function that it compiles meanwhile, on a thread of its own, is held with the
 * values that it was last seen with. What we would hold is all of them.
 */
const FEW = 10;

/** How many of 1,000 listeners that were taken away again are still held by what they listened to. */
async function heldAfter(listen: (listener: () => void) => () => void): Promise<number> {
  const listeners = Array.from({ length: 1_000 }, () => {
    const listener = (): void => {};
    listen(listener)();
    return new WeakRef(listener);
  });
  // A WeakRef keeps what it refers to until the turn is over.
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  return listeners.filter((listener) => listener.deref() !== undefined).length;
}

test("a signal has one listener of ours, and nothing of those that have gone", async () => {
  const { signal } = new AbortController();
  const kept = Array.from({ length: 1_000 }, () => onAbort(signal, () => {}));
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
  for (const forget of kept) forget();
  expect(await heldAfter((listener) => onAbort(signal, listener))).toBeLessThan(FEW);
  expect(getEventListeners(signal, "abort")).toHaveLength(1);
});

test("an ending has nothing of the listeners that have gone", async () => {
  const ending = new Ending<Error>();
  expect(await heldAfter((listener) => ending.onEnd(listener))).toBeLessThan(FEW);
  let called = 0;
  const forget = ending.onEnd(() => {
    called += 1;
  });
  ending.onEnd(() => {
    called += 1;
  });
  forget();
  ending.end(new Error("over"));
  ending.end(new Error("again"));
  expect([called, ending.reason?.message]).toEqual([1, "over"]);
});
