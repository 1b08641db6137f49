import { constants, type ServerHttp2Stream } from "node:http2";
import type { ClientHoldings } from "./client-holdings.js";
import type { SessionWatch } from "./session-watch.js";

/** A byte for compression, and four for the length. */
const PREFIX_BYTES = 5;
/** A piece of a message below this is one that no client needs to send often. */
const CRUMB_BYTES = 128;
/**
 * How long a client may take to end a call that was answered before all of it came. What it sends until then is read and
 * dropped: a client that is cut short may go on counting what it had still to send, and in the end send nothing more on
 * its connection (that of Node does, after 10 MB).
 */
const LATE_MS = 10_000;

/** What all calls of a server have in common. */
export interface StreamWatchContext {
  readonly holdings: ClientHoldings;
  now(): number;
  /** It would hold more than it may. */
  onTooMuch(call: StreamWatch): void;
  onClosed(call: StreamWatch): void;
}

/** What a client has sent of a message that is not whole: memory of ours for as long as the client likes. */
export class StreamWatch {
  readonly path: string;
  readonly session: SessionWatch;
  readonly #context: StreamWatchContext;
  readonly #stream: ServerHttp2Stream;
  /** Of the prefix: read so far, and the length that they make. */
  #prefixBytes = 0;
  #length = 0;
  /** Of the message: still to come. */
  #missing = 0;
  #heldBytes = 0;
  /** The piece before was one, too. Flow control leaves small rests between large pieces, of which nobody is to blame. */
  #wasCrumb = false;
  /** Since when something is awaited; undefined: nothing is. */
  #since: number | undefined;
  /** Bytes of what goes out that are not taken, when they were last looked at, and since when they are as many. */
  #untaken = 0;
  #untakenSince = 0;
  /** Ended by its first answer; it was counted then. */
  readonly #isRefused: boolean;
  /** When it was first seen that it was answered. */
  #answeredSince: number | undefined;

  constructor(stream: ServerHttp2Stream, path: string, session: SessionWatch, context: StreamWatchContext) {
    this.#stream = stream;
    this.#isRefused = stream.writableEnded;
    this.path = path;
    this.session = session;
    this.#context = context;
    stream.on("data", (chunk: Buffer) => this.#take(chunk));
    stream.once("close", () => this.#close());
  }

  /** A message must come at once: there is nothing else to be said on this call. */
  awaitMessage(): void {
    this.#since = this.#context.now();
  }

  /** Whether the client has been at one message for longer than this. */
  isLate(now: number, messageTimeoutMs: number): boolean {
    // It is us who do not read on.
    if (this.#since !== undefined && this.#stream.isPaused()) this.#since = now;
    return this.#since !== undefined && !this.#isAnswered && now - this.#since > messageTimeoutMs;
  }

  /** Whether the client has not ended its side for long after it was answered. */
  isOverdue(now: number): boolean {
    if (!this.#isAnswered) return false;
    this.#answeredSince ??= now;
    return now - this.#answeredSince > LATE_MS;
  }

  /** Whether nothing of what waits for the client was taken for so long. */
  isStalled(now: number, stallMs: number): boolean {
    const untaken = this.#stream.writableLength;
    if (untaken === 0 || untaken !== this.#untaken) {
      this.#untaken = untaken;
      this.#untakenSince = now;
      return false;
    }
    return now - this.#untakenSince > stallMs;
  }

  /** Ends a call that was answered: its client is to send no more of it. */
  close(): void {
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  /** Ends the call with a status, where nothing was said on it yet. */
  refuse(text: string): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    if (!stream.headersSent) {
      stream.respond(
        {
          ":status": 200,
          "content-type": "application/grpc+proto",
          "grpc-status": "8",
          "grpc-message": encodeURI(text),
          "fairlead-code": "REJECTED",
        },
        { endStream: true },
      );
      stream.close(constants.NGHTTP2_NO_ERROR);
    } else {
      stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    }
  }

  /** The last was said, trailers included: to close the stream takes nothing of the answer away. */
  get #isAnswered(): boolean {
    const { sentTrailers, writableEnded } = this.#stream;
    if (sentTrailers !== undefined) return true;
    if (!writableEnded) return false;
    const { ":status": httpStatus, "grpc-status": status } = this.#stream.sentHeaders;
    return status !== undefined || httpStatus !== constants.HTTP_STATUS_OK;
  }

  #take(chunk: Buffer): void {
    const { session } = this;
    const { holdings } = this.#context;
    const isAnswered = this.#isAnswered;
    if (!isAnswered) {
      session.data(chunk.length);
    } else if (!session.lateData(this.#context.now(), chunk.length)) {
      this.close();
      return;
    }
    let at = 0;
    let ended = 0;
    while (at < chunk.length) {
      if (this.#missing > 0) {
        const taken = Math.min(this.#missing, chunk.length - at);
        this.#missing -= taken;
        at += taken;
      } else {
        if (this.#prefixBytes > 0) this.#length = this.#length * 256 + (chunk[at] ?? 0);
        this.#prefixBytes += 1;
        at += 1;
        if (this.#prefixBytes < PREFIX_BYTES) continue;
        this.#missing = this.#length;
      }
      if (this.#missing > 0) continue;
      this.#prefixBytes = 0;
      this.#length = 0;
      ended += 1;
    }
    const isCrumb = ended === 0 && chunk.length < CRUMB_BYTES;
    if (isCrumb && this.#wasCrumb) session.crumb(this.#context.now());
    this.#wasCrumb = isCrumb;
    const isWhole = this.#prefixBytes === 0;
    if (isWhole) this.#since = undefined;
    else this.#since ??= this.#context.now();
    // What comes after the answer is not kept.
    const partBytes = isWhole || isAnswered ? 0 : this.#prefixBytes === PREFIX_BYTES ? this.#length - this.#missing : 0;
    if (partBytes === this.#heldBytes) return;
    if (partBytes < this.#heldBytes) {
      holdings.release(session.address, this.#heldBytes - partBytes);
      this.#heldBytes = partBytes;
    } else if (holdings.hold(session.address, partBytes - this.#heldBytes)) {
      this.#heldBytes = partBytes;
    } else {
      this.#context.onTooMuch(this);
    }
  }

  #close(): void {
    const { session } = this;
    const stream = this.#stream;
    if (this.#heldBytes > 0) this.#context.holdings.release(session.address, this.#heldBytes);
    this.#heldBytes = 0;
    this.#context.onClosed(this);
    if (this.#isRefused) return;
    if (!stream.readableEnded) session.cutShort();
    if ((stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR) session.reset(this.#context.now());
  }
}
