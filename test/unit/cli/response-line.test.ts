import { expect, it } from "vitest";
import { responseLine } from "../../../src/cli/response-line.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it.each([
  ["application/json", '{"a":1}', '{"a":1}'],
  ["application/json; charset=utf-8", "[1,\r\n2]", "[1, 2]"],
  ["application/problem+json", '{"large":12345678901234567890}', '{"large":12345678901234567890}'],
  ["application/json", "not json", '{"contentType":"application/json","bytes":8,"base64":"bm90IGpzb24="}'],
  ["application/json", "", '{"contentType":"application/json","bytes":0,"base64":""}'],
  ["text/plain", 'two\n"lines"', '"two\\n\\"lines\\""'],
  [undefined, "raw", '{"contentType":"application/octet-stream","bytes":3,"base64":"cmF3"}'],
])("prints %s %j in one line", (contentType, text, line) => {
  expect(responseLine({ body: bytes(text), contentType })).toBe(line);
});
