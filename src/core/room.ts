/** Bounds what is under way, in messages and in bytes; one message always fits. */
export class Room {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #messages = 0;
  #bytes = 0;

  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** True if there was room: it is taken, and must be given back with `leave`. */
  tryEnter(bytes: number): boolean {
    const fits = this.#messages === 0 || (this.#messages < this.#maxMessages && this.#bytes + bytes <= this.#maxBytes);
    if (!fits) return false;
    this.#messages += 1;
    this.#bytes += bytes;
    return true;
  }

  leave(bytes: number): void {
    this.#messages -= 1;
    this.#bytes -= bytes;
  }
}
