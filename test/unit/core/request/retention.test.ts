import { expect, test } from "vitest";
import { ClosingMarks, type ClosingOf } from "../../../../src/core/request/closing-marks.js";
import { SentResponses } from "../../../../src/core/request/sent-responses.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

function body(size: number) {
  return { bytes: new Uint8Array(size), contentType: "text/plain", headers: undefined };
}

function sent(sizes: readonly number[]) {
  let bytes = 0;
  const responses = new SentResponses(10, 1_000, {
    count: (more) => {
      bytes += more;
    },
  });
  for (const [index, size] of sizes.entries()) {
    responses.push(body(size));
    responses.sentWhole(index + 1);
  }
  return { responses, kept: () => bytes };
}

test("what was sent is kept until it was taken, and counted for so long", () => {
  const { responses, kept } = sent([10, 20, 30]);
  expect(kept()).toBe(60);
  expect(responses.grant(1, 11)).toBe(true);
  expect(responses.grant(1, 11)).toBe(false);
  expect([kept(), responses.at(1), responses.at(2)?.bytes.byteLength]).toEqual([50, undefined, 20]);
  responses.clear();
  expect(kept()).toBe(0);
});

test("what is dropped leaves its size, so that the window in bytes still holds", () => {
  const { responses, kept } = sent([600, 600]);
  responses.drop(2);
  expect([kept(), responses.at(1), responses.allows(2), responses.firstKept(2)]).toEqual([0, undefined, false, 3]);
  responses.grant(1, 11);
  expect(responses.allows(2)).toBe(true);
});

test("the one that is still being sent is not dropped", () => {
  const { responses } = sent([10]);
  responses.push(body(20));
  responses.drop(1);
  expect(responses.at(2)?.bytes.byteLength).toBe(20);
});

test("without a budget nothing is kept once it was sent", () => {
  const responses = new SentResponses(10, 1_000, undefined);
  responses.push(body(10));
  expect(responses.at(1)).toBeDefined();
  responses.sentWhole(1);
  expect(responses.at(1)).toBeUndefined();
});

test("closing marks wait for each other: 250 ms, 256 calls or 1 MiB", async () => {
  const clock = new VirtualClock();
  const told: ClosingOf[] = [];
  const marks = new ClosingMarks(clock, (closing) => told.push(closing));
  const end = (id: string) => ({ sink: "work", node: "node", id });
  marks.add(end("one"));
  marks.add(end("one"));
  marks.add(end("two"));
  expect([marks.size, clock.pending]).toEqual([2, 1]);
  await clock.pass(249);
  expect(told).toEqual([]);
  await clock.pass(1);
  expect(told.map(({ ids }) => [...ids])).toEqual([["one", "two"]]);
  for (let index = 0; index < 256; index += 1) marks.add(end(`${index}`));
  expect([told.length, marks.size, clock.pending]).toEqual([2, 0, 0]);
  marks.add(end("large"), 1024 * 1024);
  expect([told.length, clock.pending]).toEqual([3, 0]);
});
