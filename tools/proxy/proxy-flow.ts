import type { Socket } from "node:net";

interface Waiting {
  readonly chunk: Buffer;
  readonly dueAt: number;
}

/** Beyond it the sender is not read any more, so that a slow or stalled flow costs the proxy no memory. */
const MOST_WAITING_BYTES = 64 * 1024;
/** The pieces in which a rate is kept. */
const PIECES_PER_SECOND = 50;

/** One direction of a connection. */
export class ProxyFlow {
  readonly #from: Socket;
  readonly #to: Socket;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isStalled = false;
  #isSwallowed = false;
  #isFull = false;
  #delayMs = 0;
  #bytesPerSecond: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #freeAt = 0;
  #isEnding = false;

  constructor(from: Socket, to: Socket) {
    this.#from = from;
    this.#to = to;
    to.on("drain", () => {
      this.#isFull = false;
      this.#pump();
    });
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0 || this.#isSwallowed || this.#isEnding) return;
    this.#waiting.push({ chunk, dueAt: performance.now() + this.#delayMs });
    this.#waitingBytes += chunk.length;
    this.#pump();
  }

  /** The sender has no more; what is on its way comes first. */
  end(): void {
    this.#isEnding = true;
    // Nobody else would close it.
    if (this.#isSwallowed) this.#from.end();
    this.#pump();
  }

  stall(): void {
    this.#isStalled = true;
    this.#pump();
  }

  slow(delayMs: number, bytesPerSecond: number | undefined): void {
    this.#delayMs = delayMs;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** From now on everything is taken and goes nowhere. */
  swallow(): void {
    this.#isSwallowed = true;
    this.drop();
    this.#from.resume();
  }

  recover(): void {
    this.#isStalled = false;
    this.#delayMs = 0;
    this.#bytesPerSecond = undefined;
    this.#pump();
  }

  drop(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #pump(): void {
    if (this.#isSwallowed) return;
    clearTimeout(this.#timer);
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#isStalled || this.#isFull) break;
      const now = performance.now();
      const at = Math.max(next.dueAt, this.#freeAt);
      if (at > now) {
        this.#timer = setTimeout(() => this.#pump(), at - now);
        break;
      }
      this.#send(next, now);
    }
    if (this.#isEnding && this.#waiting.length === 0 && !this.#isStalled) this.#to.end();
    if (this.#isStalled || this.#isFull || this.#waitingBytes > MOST_WAITING_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  #send({ chunk, dueAt }: Waiting, now: number): void {
    this.#waiting.shift();
    let piece = chunk;
    if (this.#bytesPerSecond !== undefined) {
      piece = chunk.subarray(0, Math.max(1, Math.ceil(this.#bytesPerSecond / PIECES_PER_SECOND)));
      this.#freeAt = now + (piece.length * 1_000) / this.#bytesPerSecond;
      if (piece.length < chunk.length) this.#waiting.unshift({ chunk: chunk.subarray(piece.length), dueAt });
    }
    this.#waitingBytes -= piece.length;
    if (this.#to.writable) this.#isFull = !this.#to.write(piece);
  }
}
