import type { ResponseMessage } from "../ports/request-sink.js";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** One response as one line of JSON, without the end of the line. */
export function responseLine({ body, contentType = "application/octet-stream" }: ResponseMessage<Uint8Array>): string {
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  try {
    if (isJson(type)) return jsonLine(decoder.decode(body));
    if (type.startsWith("text/")) return JSON.stringify(decoder.decode(body));
  } catch {
    // It is not what it says: shown as what it is.
  }
  return JSON.stringify({ contentType, bytes: body.length, base64: Buffer.from(body).toString("base64") });
}

function isJson(type: string): boolean {
  return type === "application/json" || type === "text/json" || type.endsWith("+json");
}

/** As it came, digits of large numbers included. */
function jsonLine(text: string): string {
  JSON.parse(text);
  // Between its tokens only: within them it may hold none.
  return text.replaceAll(/[\r\n]+/g, " ");
}
