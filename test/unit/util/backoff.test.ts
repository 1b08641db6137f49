import { expect, test } from "vitest";
import { backoffMs } from "../../../src/util/backoff.js";

const options = { firstMs: 100, maxMs: 5_000 };

test("doubles from the first wait, within the upper half", () => {
  expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 0, options))).toEqual([50, 100, 200, 400]);
  expect([1, 2, 3, 4].map((failures) => backoffMs(failures, 0.5, options))).toEqual([75, 150, 300, 600]);
});

test("never exceeds the longest wait, whatever the number of failures", () => {
  for (const failures of [7, 31, 32, 1_000, 1e9]) {
    expect(backoffMs(failures, 0.999, options)).toBeLessThanOrEqual(5_000);
    expect(backoffMs(failures, 0, options)).toBe(2_500);
  }
});
