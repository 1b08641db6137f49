import { createHash } from "node:crypto";

/** A text of this length in which every place is told from its neighbours. */
export function long(length: number): string {
  return Array.from({ length: Math.ceil(length / 8) }, (_, index) => String(index).padStart(8, "0"))
    .join("")
    .slice(0, length);
}

export function sha256(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}
