import { MessagingError } from "../../src/errors/messaging-error.js";
import { Ring } from "../../src/util/ring.js";

/** What a call may send: a window of responses and of bytes beyond what its client has taken. */
export class Credit {
  readonly #window: number;
  readonly #windowBytes: number;
  /** The bytes of each response that is sent and not taken. */
  readonly #untaken = new Ring<number>();
  #untakenBytes = 0;
  #sent = 0;
  #taken = 0;

  constructor(window: number, windowBytes: number) {
    this.#window = window;
    this.#windowBytes = windowBytes;
  }

  get sent(): number {
    return this.#sent;
  }

  get taken(): number {
    return this.#taken;
  }

  /** One response is always allowed, however large. */
  get hasCredit(): boolean {
    const { size } = this.#untaken;
    return size < this.#window && (size === 0 || this.#untakenBytes < this.#windowBytes);
  }

  /** The number of the response that takes the credit. */
  send(bytes: number): number {
    this.#untaken.push(bytes);
    this.#untakenBytes += bytes;
    this.#sent += 1;
    return this.#sent;
  }

  /** So many were taken in all. False: nothing new. Throws `INVALID_ARGUMENT` for more than were sent. */
  take(taken: number): boolean {
    if (taken <= this.#taken) return false;
    if (taken > this.#sent) {
      const text = `credit for ${taken} taken responses, but only ${this.#sent} were sent`;
      throw new MessagingError("INVALID_ARGUMENT", text);
    }
    for (; this.#taken < taken; this.#taken += 1) this.#untakenBytes -= this.#untaken.shift() ?? 0;
    return true;
  }

  clear(): void {
    this.#untaken.clear();
  }
}
