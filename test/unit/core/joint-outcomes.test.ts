import { expect, test } from "vitest";
import { JointOutcomes } from "../../../src/core/joint-outcomes.js";
import { deferred } from "../../../src/util/deferred.js";

function noted(): { readonly told: string[]; readonly outcomes: JointOutcomes<string, boolean> } {
  const told: string[] = [];
  const outcomes = new JointOutcomes<string, boolean>(
    (item, value) => told.push(`${item} ${value}`),
    (item, error) => told.push(`${item} ${String(error)}`),
  );
  return { told, outcomes };
}

async function turns(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

test("those that share a promise are told together, in their order, and never at once", async () => {
  const { told, outcomes } = noted();
  const shared = Promise.resolve(true);
  outcomes.add(shared, "a");
  outcomes.add(shared, "b");
  expect(told).toEqual([]);
  await turns();
  expect(told).toEqual(["a true", "b true"]);
  outcomes.add(shared, "c");
  await turns();
  expect(told).toEqual(["a true", "b true", "c true"]);
});

test("promises that take turns tell each of theirs once", async () => {
  const { told, outcomes } = noted();
  const [one, other] = [deferred<boolean>(), deferred<boolean>()];
  for (const [index, { promise }] of [one, other, one, one, other].entries()) outcomes.add(promise, `${index}`);
  other.reject("refused");
  await turns();
  expect(told).toEqual(["1 refused", "4 refused"]);
  one.resolve(false);
  await turns();
  expect(told.slice(2)).toEqual(["0 false", "2 false", "3 false"]);
});

test("one that comes with the promise while its like are told waits anew", async () => {
  const shared = Promise.resolve(true);
  const told: string[] = [];
  const outcomes: JointOutcomes<string, boolean> = new JointOutcomes(
    (item) => {
      told.push(item);
      if (told.length === 1) outcomes.add(shared, "late");
    },
    () => {},
  );
  outcomes.add(shared, "a");
  outcomes.add(shared, "b");
  await turns();
  expect(told).toEqual(["a", "b", "late"]);
});
