import type { ResponseMessage } from "../../src/ports/request-sink.js";

/** Why a response cannot be sent; undefined if it can. Sinks are applications, so what they respond with is checked. */
export function responseFault({ body, headers, contentType }: ResponseMessage<Uint8Array>): string | undefined {
  if (!(body instanceof Uint8Array)) return "its body is no Uint8Array";
  if (contentType !== undefined && !isText(contentType)) return "its content type is no text";
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!isText(name) || !isText(value)) return `its header ${name} is no text`;
  }
  return undefined;
}

/** Halves of surrogate pairs have no UTF-8. */
function isText(value: unknown): boolean {
  return typeof value === "string" && !/\p{Cs}/u.test(value);
}
