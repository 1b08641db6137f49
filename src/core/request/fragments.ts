import { createHash } from "node:crypto";
import { MessagingError } from "../../errors/messaging-error.js";

export function checksumOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("hex");
}

export function fragmentCount(bytes: number, fragmentBytes: number): number {
  return Math.ceil(bytes / fragmentBytes);
}

/** Without copying. */
export function fragmentAt(body: Uint8Array, index: number, fragmentBytes: number): Uint8Array {
  return body.subarray(index * fragmentBytes, (index + 1) * fragmentBytes);
}

/** What keeping a piece costs beside its bytes, about. */
const PIECE_OVERHEAD_BYTES = 256;
/** Allowed beyond as much as the body itself: 4,096 tiny pieces. */
const MAX_OVERHEAD_BYTES = 1024 * 1024;

/** Puts a body together from pieces in any order. All faults are told by throwing; then it is of no further use. */
export class FragmentAssembly {
  readonly #maxBytes: number;
  readonly #pieces = new Map<number, Uint8Array>();
  #bytes = 0;
  #total: number | undefined;
  #checksum = "";

  /** More bytes than this are refused before they are kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Pieces that have come. */
  get count(): number {
    return this.#pieces.size;
  }

  /** Resolves nothing twice: a piece that is there already is dropped. Throws `TOO_LARGE` and `DATA_LOSS`. */
  add(index: number, piece: Uint8Array): void {
    if (this.#pieces.has(index)) return;
    const isForeign = this.#total !== undefined && index >= this.#total;
    if (isForeign || piece.byteLength === 0)
      throw new MessagingError("DATA_LOSS", `piece ${index} is none of this body`);
    if (this.#bytes + piece.byteLength > this.#maxBytes) {
      throw new MessagingError("TOO_LARGE", `the body has more than ${this.#maxBytes} bytes`);
    }
    const overhead = (this.#pieces.size + 1) * PIECE_OVERHEAD_BYTES;
    if (overhead > this.#bytes + MAX_OVERHEAD_BYTES) {
      throw new MessagingError("TOO_LARGE", "the body comes in pieces that are too small");
    }
    this.#bytes += piece.byteLength;
    this.#pieces.set(index, piece);
  }

  /** How many pieces there are, and what they must come to. */
  finish(total: number, checksum: string): void {
    this.#total = total;
    this.#checksum = checksum;
    for (const index of this.#pieces.keys()) {
      if (index >= total) throw new MessagingError("DATA_LOSS", `piece ${index} of a body of ${total} pieces`);
    }
  }

  /** The body; undefined while pieces are missing. Throws `DATA_LOSS` for a wrong checksum. */
  take(): Uint8Array | undefined {
    if (this.#total === undefined || this.#pieces.size < this.#total) return undefined;
    const body = new Uint8Array(this.#bytes);
    let at = 0;
    for (let index = 0; index < this.#total; index += 1) {
      const piece = this.#pieces.get(index) as Uint8Array;
      body.set(piece, at);
      at += piece.byteLength;
    }
    this.#pieces.clear();
    if (checksumOf(body) !== this.#checksum) {
      throw new MessagingError("DATA_LOSS", "the checksum of a body in pieces is wrong");
    }
    return body;
  }
}
