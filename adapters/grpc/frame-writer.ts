import { Ring } from "../../src/util/ring.js";

const MAX_UNWRITTEN_BYTES = 262_144;
/** What a frame weighs beside its body. */
const FRAME_BYTES = 64;

export interface FrameStream<Frame> {
  write(frame: Frame, written: () => void): boolean;
}

export interface FrameWriterOptions<Frame> {
  readonly stream: FrameStream<Frame>;
  /** Bytes of body in a frame. */
  bodyBytes(frame: Frame): number;
  /** The transport took a frame: there may be room. */
  onWritten(): void;
  /** What may be with the library, not yet taken by the transport, before the writer counts as full. Default 262,144. */
  readonly maxUnwrittenBytes?: number | undefined;
}

/** Writes frames in order, those of large bodies only as the transport takes them: it takes as the reader makes room. */
export class FrameWriter<Frame> {
  readonly #options: FrameWriterOptions<Frame>;
  readonly #pending = new Ring<Iterator<Frame>>();
  readonly #sizes = new Ring<number>();
  readonly #maxUnwritten: number;
  #unwritten = 0;
  #onEmpty: (() => void) | undefined;
  #isClosed = false;

  constructor(options: FrameWriterOptions<Frame>) {
    this.#options = options;
    this.#maxUnwritten = options.maxUnwrittenBytes ?? MAX_UNWRITTEN_BYTES;
  }

  /** What is written now only waits here. */
  get isFull(): boolean {
    return this.#pending.size > 0 || this.#unwritten >= this.#maxUnwritten;
  }

  /** At once, unless something waits. The caller bounds how many there are. */
  write(frame: Frame): void {
    if (this.#isFinishing) return;
    if (this.#pending.size === 0) this.#put(frame);
    else this.#pending.push([frame].values());
  }

  writeAll(frames: Iterable<Frame>): void {
    if (this.#isFinishing) return;
    this.#pending.push(frames[Symbol.iterator]());
    this.#feed();
  }

  /** Runs the action once everything has been given to the stream; nothing is written after it. */
  finish(action: () => void): void {
    if (this.#isFinishing) return;
    this.#onEmpty = action;
    this.#feed();
  }

  /** As `finish`, but drops what waits, also behind an earlier `finish`. */
  cut(action: () => void): void {
    if (this.#isClosed) return;
    this.#pending.clear();
    this.#onEmpty = action;
    this.#feed();
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true;
    this.#pending.clear();
    this.#sizes.clear();
    this.#onEmpty = undefined;
  }

  get #isFinishing(): boolean {
    return this.#isClosed || this.#onEmpty !== undefined;
  }

  #feed(): void {
    for (let frames = this.#pending.peek(); frames !== undefined; frames = this.#pending.peek()) {
      if (this.#unwritten >= this.#maxUnwritten) return;
      const next = frames.next();
      if (next.done === true) this.#pending.shift();
      else this.#put(next.value);
    }
    const onEmpty = this.#onEmpty;
    if (onEmpty === undefined) return;
    this.close();
    onEmpty();
  }

  #put(frame: Frame): void {
    const bytes = this.#options.bodyBytes(frame) + FRAME_BYTES;
    this.#sizes.push(bytes);
    this.#unwritten += bytes;
    this.#options.stream.write(frame, this.#written);
  }

  /** Shared by all frames, which the transport takes in order. */
  readonly #written = (): void => {
    if (this.#isClosed) return;
    this.#unwritten -= this.#sizes.shift() ?? 0;
    this.#feed();
    this.#options.onWritten();
  };
}
