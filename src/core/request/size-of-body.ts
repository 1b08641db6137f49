/**
 * The bytes that a body is counted as in a window: those of bytes and text. Other values have no size here; over a broker
 * they are counted as they travel.
 */
export function sizeOfBody(body: unknown): number {
  if (body instanceof Uint8Array) return body.byteLength;
  return typeof body === "string" ? body.length : 0;
}
