const SLOTS = 1_024;
const MAX_BYTES = 64;

/** Texts that came before, by their bytes: names and addresses come again and again, and each would be made anew. */
export class KnownTexts {
  readonly #texts: string[] = new Array<string>(SLOTS).fill("");

  read(bytes: Buffer, from: number, to: number): string {
    if (to - from > MAX_BYTES) return bytes.toString("utf8", from, to);
    let hash = 0;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    const slot = hash & (SLOTS - 1);
    const known = this.#texts[slot] ?? "";
    if (isText(known, bytes, from, to)) return known;
    const text = bytes.toString("utf8", from, to);
    this.#texts[slot] = text;
    return text;
  }
}

/** Of ASCII alone: other texts are never found. */
export function isText(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let index = 0; index < text.length; index += 1) {
    const byte = bytes[from + index] ?? 0;
    if (byte > 0x7f || text.charCodeAt(index) !== byte) return false;
  }
  return true;
}
