import { expect, test } from "vitest";
import { verdictOf, verdictOfError } from "../../../src/core/verdict.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";

test("a returned settlement says what it says", () => {
  expect(verdictOf(undefined)).toEqual({ kind: "ack" });
  expect(verdictOf("ack")).toEqual({ kind: "ack" });
  expect(verdictOf("release")).toEqual({ kind: "release", why: "chosen" });
  expect(verdictOf("requeue")).toMatchObject({ kind: "retry", retryInMs: 0, limited: true });
  expect(verdictOf({ retryInMs: 5, reason: "busy" })).toEqual({
    kind: "retry",
    retryInMs: 5,
    reason: "busy",
    limited: false,
  });
  expect(verdictOf({ deadLetter: "broken" })).toEqual({
    kind: "dead-letter",
    reason: "broken",
    isHandled: true,
  });
  expect(verdictOf("dead-letter")).toMatchObject({ kind: "dead-letter" });
});

test.each([
  ["nack"],
  [true],
  [null],
  [{}],
  [{ retryInMs: -1 }],
  [{ retryInMs: Number.NaN }],
  [{ deadLetter: 7 }],
  [1n],
])("what is no settlement is refused: %s", (value) => {
  expect(() => verdictOf(value)).toThrow(/no settlement/);
});

test("a throw is tried again with back-off, at most 30 s", () => {
  const waits = [0, 1, 2, 20].map((failures) => verdictOfError(new Error("no"), failures, 0.999_999));
  expect(waits.map((verdict) => (verdict.kind === "retry" ? Math.round(verdict.retryInMs) : verdict.kind))).toEqual([
    200, 400, 800, 30_000,
  ]);
});

test("an error that trying again does not heal gives up; one that speaks of us does not", () => {
  expect(verdictOfError(new MessagingError("MALFORMED", "bad"), 0, 0)).toEqual({
    kind: "dead-letter",
    reason: "bad",
    isHandled: true,
  });
  for (const code of ["CLOSED", "ABORTED"] as const) {
    expect(verdictOfError(new MessagingError(code, "we"), 0, 0)).toMatchObject({ kind: "retry", limited: false });
  }
  expect(verdictOfError(new MessagingError("UNAVAILABLE", "down"), 0, 0)).toMatchObject({
    kind: "retry",
    limited: true,
  });
  expect(verdictOfError("a string", 0, 0)).toMatchObject({ kind: "retry", reason: "a string" });
});
