import { expect, test } from "vitest";
import { checksumOf, FragmentAssembly, fragmentAt, fragmentCount } from "../../../../src/core/request/fragments.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array | undefined) => (body === undefined ? undefined : new TextDecoder().decode(body));

function cut(body: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: fragmentCount(body.byteLength, size) }, (_, index) => fragmentAt(body, index, size));
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    return MessagingError.is(error) ? error.code : String(error);
  }
  return undefined;
}

test("a checksum is SHA-256 in lower-case hexadecimal, with leading zeros", () => {
  expect(checksumOf(bytes("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(checksumOf(new Uint8Array(0))).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (let index = 0; index < 300; index += 1) expect(checksumOf(bytes(String(index)))).toMatch(/^[0-9a-f]{64}$/);
});

test("a body is cut into pieces of one size, the last as long as is left", () => {
  expect(cut(bytes("abcdef"), 2).map(text)).toEqual(["ab", "cd", "ef"]);
  expect(cut(bytes("abcdefg"), 3).map(text)).toEqual(["abc", "def", "g"]);
  expect(cut(bytes("abc"), 10).map(text)).toEqual(["abc"]);
  expect(cut(new Uint8Array(0), 10)).toEqual([]);
});

test("pieces in any order, and after the end was told, make the body", () => {
  const body = bytes("the quick brown fox");
  const pieces = cut(body, 4);
  const assembly = new FragmentAssembly(100);
  for (const index of [3, 0]) assembly.add(index, pieces[index] ?? body);
  assembly.finish(pieces.length, checksumOf(body));
  expect(assembly.take()).toBeUndefined();
  for (const index of [4, 1, 1]) assembly.add(index, pieces[index] ?? body);
  expect(assembly.take()).toBeUndefined();
  assembly.add(2, pieces[2] ?? body);
  expect(text(assembly.take())).toBe("the quick brown fox");
});

test("a wrong checksum, a piece too many and an empty piece are DATA_LOSS", () => {
  const wrong = new FragmentAssembly(100);
  wrong.add(0, bytes("abc"));
  wrong.finish(1, checksumOf(bytes("abd")));
  expect(codeOf(() => wrong.take())).toBe("DATA_LOSS");
  const tooMany = new FragmentAssembly(100);
  tooMany.add(0, bytes("a"));
  tooMany.add(1, bytes("b"));
  expect(codeOf(() => tooMany.finish(1, checksumOf(bytes("a"))))).toBe("DATA_LOSS");
  const late = new FragmentAssembly(100);
  late.finish(1, checksumOf(bytes("a")));
  expect(codeOf(() => late.add(1, bytes("b")))).toBe("DATA_LOSS");
  expect(codeOf(() => new FragmentAssembly(100).add(0, new Uint8Array(0)))).toBe("DATA_LOSS");
});

test("more bytes than the bound are refused before they are kept", () => {
  const assembly = new FragmentAssembly(10);
  assembly.add(0, new Uint8Array(6));
  expect(codeOf(() => assembly.add(1, new Uint8Array(5)))).toBe("TOO_LARGE");
  expect(assembly.bytes).toBe(6);
  assembly.add(2, new Uint8Array(4));
  expect(assembly.bytes).toBe(10);
});
