import { describe, expect, it } from "vitest";
import { CallFailed } from "../../../src/cli/call-failed.js";
import { DistinctTokens } from "../../../src/cli/distinct-tokens.js";
import { eventLine } from "../../../src/cli/event-line.js";
import { BadInput, exitCodeOf, failureText } from "../../../src/cli/failure.js";
import { MessagingError } from "../../../src/index.js";

const EVENT = {
  clientId: "poster",
  eventJson: '{"id": 12345678901234567890}',
  userToken: "ack-1",
  futureUserToken: "token-1",
  effectiveDate: { seconds: "1767225600", nanos: 5_000 },
  searchKey1: "-9223372036854775808",
  searchKey2: "7",
};

describe("eventLine", () => {
  it("is one line of JSON with every field, and loses no digit", () => {
    expect(eventLine(EVENT)).toBe(
      '{"clientId":"poster","eventJson":{"id": 12345678901234567890},"userToken":"ack-1","futureUserToken":"token-1",' +
        '"effectiveDate":"2026-01-01T00:00:00.000005Z","searchKey1":"-9223372036854775808","searchKey2":"7"}',
    );
  });

  it.each([
    ['{\n  "a": "x\\ny",\r\n  "b": [1]\n}', { a: "x\ny", b: [1] }],
    ["5", 5],
    ["", ""],
    ["not json", "not json"],
    ['{"a":', '{"a":'],
    ["two\nlines", "two\nlines"],
    ['"text"', "text"],
  ])("keeps %j in its line", (eventJson, value) => {
    const line = eventLine({ ...EVENT, eventJson });
    expect(line).not.toMatch(/[\r\n]/);
    expect((JSON.parse(line) as { readonly eventJson: unknown }).eventJson).toEqual(value);
  });

  it.each([
    [null, null],
    [{ seconds: "-62135596800", nanos: 0 }, "0001-01-01T00:00:00.000Z"],
    [{ seconds: "-1", nanos: 250_000_000 }, "1969-12-31T23:59:59.250Z"],
    [{ seconds: "0", nanos: 1 }, "1970-01-01T00:00:00.000000001Z"],
    [{ seconds: "9223372036854775807", nanos: 0 }, null],
  ])("writes the date %j as %s", (effectiveDate, text) => {
    const line = JSON.parse(eventLine({ ...EVENT, effectiveDate })) as { readonly effectiveDate: unknown };
    expect(line.effectiveDate).toBe(text);
  });
});

describe("DistinctTokens", () => {
  it("tells first sights among the newest tokens, and never the empty one apart", () => {
    const tokens = new DistinctTokens(2);
    expect(["a", "b", "a", "", "", "c", "b", "a"].map((token) => tokens.add(token))).toEqual([
      true,
      true,
      false,
      true,
      true,
      true,
      false,
      true,
    ]);
  });
});

describe("failures", () => {
  it.each([
    [new BadInput("no"), 2],
    [new MessagingError("INVALID_ARGUMENT", "no"), 2],
    [new MessagingError("UNAVAILABLE", "no"), 1],
    [new CallFailed("RESOURCE_EXHAUSTED", "no"), 2],
    [new CallFailed("INVALID_ARGUMENT", "no"), 2],
    [new CallFailed("UNAVAILABLE", "no"), 1],
    [new TypeError("bug"), 1],
    ["thrown text", 1],
  ])("%s exits with %i", (error, code) => {
    expect(exitCodeOf(error)).toBe(code);
  });

  it("become one line, whatever they say", () => {
    expect(failureText(new Error("error: first\n\tsecond\u2028third\u001b[31m"))).toBe(
      "fairlead: first second third [31m",
    );
    expect(failureText(new MessagingError("CLOSED", "over"))).toBe("fairlead: over (CLOSED)");
  });

  it("of calls keep the status, and drop the library's empty note", () => {
    const error = Object.assign(new Error("14 UNAVAILABLE: x"), { code: 14, details: "refused. Resolution note: " });
    const failed = CallFailed.of(error);
    expect([failed.status, failed.message]).toEqual(["UNAVAILABLE", "refused"]);
    expect(CallFailed.of(new Error("other")).status).toBe("UNKNOWN");
    expect(failed.during("cannot post to h:1", "; up?").message).toBe("cannot post to h:1: refused; up? (UNAVAILABLE)");
  });
});
