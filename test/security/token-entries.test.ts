import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createGrpcGateway, type TokenEntries } from "../../adapters/grpc/index.js";
import { repeatedKeys } from "../../adapters/grpc/security/repeated-keys.js";
import { parseTokenEntries, readTokenEntries } from "../../adapters/grpc/security/token-entries.js";
import { TokenList } from "../../adapters/grpc/security/token-list.js";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";

const TOKEN = "first-token-0123456789";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function faultsOf(text: string): string[] {
  const faults: string[] = [];
  parseTokenEntries(text, faults);
  return faults;
}

describe("entries that say two things", () => {
  it.each<[string, readonly (readonly string[])[]]>([
    ['{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]}', []],
    ['{"a": 1, "b": 2, "a": 3, "a": 4}', [["a"], ["a"]]],
    ['{"x": {"y": [{"a": 1, "\\u0061": 2}]}}', [["x", "y", "a"]]],
    ['{"a": "{\\"b\\": 1, \\"b\\": 2}", "a\\"": ":", "b": ","}', []],
    ['{"": 1, "": 2}', [[""]]],
    ["[]", []],
    ['"a"', []],
  ])("keys of %s that come twice", (json, expected) => {
    expect(JSON.parse(json)).toBeDefined();
    expect(repeatedKeys(json)).toEqual(expected);
  });

  it("are refused: an entry twice, a right twice", () => {
    const entry = (token: string, more = ""): string => `{"token": "${token}"${more}}`;
    const twice = faultsOf(`{"a": ${entry(TOKEN)}, "b": ${entry("other-token-0123456789")}, "a": ${entry(TOKEN)}}`);
    expect(twice).toEqual(['has the entry "a" twice']);
    const right = faultsOf(`{"a": ${entry(TOKEN, ', "post": "*", "post": "mine"')}}`);
    expect(right).toEqual(['entry "a" has "post" twice']);
  });

  it.each(["CN", "DNS", "URI", "email", "IP"])(
    "are refused: a certificate with %s before its name, and without",
    (kind) => {
      const fault = /entries "a" and "b" have the same certificate, here with its kind before it and there without/;
      const of = (certificate: string) => ({ certificate });
      const faults: string[] = [];
      readTokenEntries({ a: of("x"), b: of(`${kind}:x`) }, faults);
      expect(faults).toEqual([expect.stringMatching(fault)]);
      faults.length = 0;
      readTokenEntries({ b: of(`${kind}:x`), a: of("x") }, faults);
      expect(faults).toEqual([expect.stringMatching(fault)]);
      faults.length = 0;
      readTokenEntries({ a: { certificate: ["x", `${kind}:x`] }, b: of(`${kind}:y`), c: of("z") }, faults);
      expect(faults).toEqual([]);
    },
  );
});

it("a token is found among 10,000 about as soon as in a list of one", () => {
  const hex = (index: number): string => index.toString(16).padStart(64, "0");
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, entry) => [
      `e-${entry}`,
      { tokenSha256: Array.from({ length: 100 }, (_, index) => hex(entry * 100 + index)) },
    ]),
  );
  const faults: string[] = [];
  const list = new TokenList(readTokenEntries({ ...many, "e-0": { token: TOKEN } }, faults));
  expect(faults).toEqual([]);
  expect(list.byToken(TOKEN)?.name).toBe("e-0");
  const watch = new Stopwatch();
  for (let count = 0; count < 1_000; count += 1) expect(list.byToken(`${TOKEN}-${count}`)).toBeUndefined();
  // Each a comparison of its own took almost a second.
  expect(watch.undisturbedMs).toBeLessThan(300);
});

it("of several entries that a certificate has the first in the list counts", () => {
  const entries = readTokenEntries({ a: { certificate: "DNS:x" }, b: { certificate: "CN:y" } }, []);
  const list = new TokenList(entries);
  const all = new Set(["y", "CN:y", "x", "DNS:x"]);
  expect(list.byCertificate({ first: "y", all })?.name).toBe("a");
  expect(list.byCertificate({ first: "z", all: new Set(["z"]) })).toBeUndefined();
});

describe("entries of tokens", () => {
  const faultOf = (entries: unknown): string => {
    try {
      createGrpcGateway({ tokens: { entries: entries as TokenEntries }, events: {} as EventService });
      return "none";
    } catch (error) {
      return MessagingError.is(error, "INVALID_ARGUMENT") ? error.message : String(error);
    }
  };

  it.each<[string, unknown, RegExp]>([
    ["no entries", {}, /has no entry: nobody could call/],
    ["a list", [], /must be entries by name/],
    ["text that is no JSON", "{", /is not JSON/],
    ["an entry that is none", { a: "token" }, /entry "a" must be an object/],
    ["nothing to know it by", { a: { post: "*" } }, /entry "a" must have a token, a tokenSha256 or a certificate/],
    [
      "a short token",
      { a: { token: "short" } },
      /entry "a" has a token that must be 16 to 4096 visible ASCII characters/,
    ],
    ["a token with spaces", { a: { token: "sixteen characters" } }, /without spaces/],
    ["a hash that is none", { a: { tokenSha256: "ab" } }, /64 hexadecimal digits/],
    ["an unknown key", { a: { token: TOKEN, read: "*" } }, /unknown key "read"; known are token, tokenSha256, /],
    [
      "a right that is no text",
      { a: { token: TOKEN, post: true } },
      /has a post that must be a text or a list of texts/,
    ],
    ["a long pattern", { a: { token: TOKEN, post: "x".repeat(257) } }, /a pattern in post that must have at most 256/],
    [
      "a name with a line end",
      { "a\n": { token: TOKEN } },
      /entry "a\\n" must have a name of 1 to 100 ASCII characters/,
    ],
    [
      "one token twice",
      { a: { token: TOKEN }, b: { tokenSha256: sha256(TOKEN) } },
      /entries "a" and "b" have the same token/,
    ],
    [
      "one certificate twice",
      { a: { certificate: "x" }, b: { certificate: "x" } },
      /"a" and "b" have the same certificate/,
    ],
  ])("with %s are refused, and nothing of a secret is told", (_, entries, text) => {
    const fault = faultOf(entries);
    expect(fault).toMatch(text);
    for (const secret of [TOKEN, "short", "sixteen characters", sha256(TOKEN)]) expect(fault).not.toContain(secret);
  });

  it("all faults are told at once", () => {
    expect(faultOf({ a: { token: "short", post: 1 }, b: {} }).split("; ")).toHaveLength(3);
  });
});
