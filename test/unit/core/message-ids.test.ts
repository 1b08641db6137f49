import { expect, test } from "vitest";
import { MessageIds } from "../../../src/core/message-ids.js";
import { systemRandom } from "../../../src/core/system-random.js";

test("ids are UUIDs, each new, also between two that begin at the same time", () => {
  const [one, other] = [new MessageIds(systemRandom), new MessageIds(systemRandom)];
  const ids = Array.from({ length: 10_000 }, () => [one.next(), other.next()]).flat();
  expect(new Set(ids).size).toBe(20_000);
  expect(ids.every((id) => /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(id))).toBe(true);
});

test("the ids of a Random that was given are taken whole: it may count in any of its digits", () => {
  let count = 0;
  const uuid = (): string => {
    count += 1;
    return `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
  };
  const [one, other] = [new MessageIds({ fraction: () => 0, uuid }), new MessageIds({ fraction: () => 0, uuid })];
  const ids = Array.from({ length: 10_000 }, () => [one.next(), other.next()]).flat();
  expect(new Set(ids).size).toBe(20_000);
});
