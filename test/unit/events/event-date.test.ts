import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueMs, eventDateOf, formatEventDate, parseEventDate } from "../../../src/events/event-date.js";

const dates = fc.record({
  seconds: fc.integer({ min: -62_135_596_800, max: 253_402_300_799 }),
  nanos: fc.integer({ min: 0, max: 999_999_999 }),
});

describe("event dates", () => {
  it("come back from their text as they were", () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseEventDate(formatEventDate(date))).toEqual(date);
      }),
    );
  });

  it("are due at the first millisecond that is not before them", () => {
    fc.assert(
      fc.property(dates, (date) => {
        const nanos = BigInt(date.seconds) * 1_000_000_000n + BigInt(date.nanos);
        const due = BigInt(dueMs(date)) * 1_000_000n;
        expect(due >= nanos && due - nanos < 1_000_000n).toBe(true);
      }),
    );
  });

  it("are made of milliseconds, also before 1970", () => {
    expect(eventDateOf(-1)).toEqual({ seconds: -1, nanos: 999_000_000 });
    expect(eventDateOf(1_234)).toEqual({ seconds: 1, nanos: 234_000_000 });
  });

  it.each([
    "",
    "now",
    "2026-02-30",
    "2026-13-01T00:00:00.000000000Z",
    "2026-01-01T00:00:00Z",
    "2026-01-01T25:00:00.000000000Z",
  ])("are not read from %j", (text) => expect(parseEventDate(text)).toBeUndefined());
});
