import type { AmqpStream } from "./amqp.js";

/** What is collected before it is written. Less than the socket's own buffer (`SOCKET_BUFFER_BYTES`), which one would fill. */
const BLOCK_BYTES = 65_536;
/** In one turn: whoever sends more waits for the next, lest nothing else has one. */
const TURN_BYTES = 524_288;
/** What is larger is not worth copying. */
export const COPIED_BYTES = 16_384;

/** Collects what one turn of the loop sends on one socket, so that it leaves in one system call, and copied once. */
export class OutgoingFrames {
  readonly #stream: AmqpStream;
  readonly #writeNow: AmqpStream["write"];
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  /** In the block: what was written before, and what has been collected. */
  #from = 0;
  #to = 0;
  /** In front of what is in the block. */
  readonly #ahead: Uint8Array[] = [];
  #aheadBytes = 0;
  #isScheduled = false;
  /** Written in this turn. */
  #turnBytes = 0;
  #isDrained = true;
  readonly #onRoom: () => void;

  /** Whatever else is written to the stream goes behind what was collected before it. */
  constructor(stream: AmqpStream, onRoom: () => void) {
    this.#stream = stream;
    this.#onRoom = onRoom;
    const write = stream.write.bind(stream);
    this.#writeNow = write;
    stream.write = (chunk) => {
      this.flush();
      return write(chunk);
    };
    stream.on("drain", () => {
      this.#isDrained = true;
      if (this.hasRoom) onRoom();
    });
  }

  get hasRoom(): boolean {
    return this.#isDrained && this.#turnBytes < TURN_BYTES;
  }

  /** Where so many bytes have place, from `end` on. */
  reserve(bytes: number): Buffer {
    if (this.#to + bytes > BLOCK_BYTES) this.flush();
    if (this.#to + bytes > BLOCK_BYTES) this.#startBlock();
    return this.#block;
  }

  get end(): number {
    return this.#to;
  }

  /** What was reserved has been filled up to there. */
  commit(end: number): void {
    this.#to = end;
    this.#schedule();
  }

  /** Not written to after it was handed over. */
  append(chunk: Uint8Array): void {
    const { byteLength } = chunk;
    if (byteLength <= COPIED_BYTES) {
      this.reserve(byteLength).set(chunk, this.#to);
      this.commit(this.#to + byteLength);
      return;
    }
    this.#takeFromBlock();
    this.#ahead.push(chunk);
    this.#aheadBytes += byteLength;
    this.#schedule();
    if (this.#aheadBytes >= BLOCK_BYTES) this.flush();
  }

  flush(): void {
    if (this.#ahead.length === 0) {
      if (this.#to > this.#from) this.#writeBlock();
      return;
    }
    this.#takeFromBlock();
    const chunks = this.#ahead.splice(0);
    this.#aheadBytes = 0;
    this.#stream.cork();
    for (const chunk of chunks) this.#write(chunk);
    this.#stream.uncork();
  }

  readonly #endTurn = (): void => {
    this.#isScheduled = false;
    this.flush();
    const wasHeld = this.#turnBytes >= TURN_BYTES;
    this.#turnBytes = 0;
    if (wasHeld && this.#isDrained) this.#onRoom();
  };

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#endTurn);
  }

  #takeFromBlock(): void {
    if (this.#to === this.#from) return;
    this.#ahead.push(this.#block.subarray(this.#from, this.#to));
    this.#aheadBytes += this.#to - this.#from;
    this.#from = this.#to;
  }

  #writeBlock(): void {
    this.#write(this.#block.subarray(this.#from, this.#to));
    this.#from = this.#to;
    // All of it is with the system: the block is ours again.
    if (this.#stream.writableLength === 0) {
      this.#from = 0;
      this.#to = 0;
    }
  }

  /** Once the stream has ended, nobody is there to be told. */
  #write(chunk: Uint8Array): void {
    if (!this.#stream.writable) return;
    this.#turnBytes += chunk.byteLength;
    // Once it is full, only `drain` says otherwise: it comes when all is gone, which is later than the next write that fits.
    if (!this.#writeNow(chunk)) this.#isDrained = false;
  }

  #startBlock(): void {
    this.#block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.#from = 0;
    this.#to = 0;
  }
}
