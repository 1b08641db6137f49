import type { MessageHeaders } from "../../ports/message.js";
import type { EncodedBody } from "./body-codecs.js";
import { checksumOf, fragmentAt, fragmentCount } from "./fragments.js";
import { FRAME, FRAME_HEADER } from "./frames.js";
import type { IncomingRequest } from "./incoming-request.js";
import type { ReplySender } from "./reply-sender.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** Longer is no different. */
const MAX_EXTEND_MS = 2 ** 50;

export interface OutgoingBody extends EncodedBody {
  readonly headers: MessageHeaders | undefined;
}

/** The responses of one call as frames: numbered, large ones in pieces as there is room. */
export class ResponseFrames {
  readonly #request: IncomingRequest;
  readonly #options: ResolvedServeOptions;
  readonly #replies: ReplySender;
  readonly #run: string | undefined;
  /** Of the last response that was begun. */
  sequence = 0;
  #large: { readonly body: OutgoingBody; next: number } | undefined;
  #isFirst = true;
  /** The deadline that the caller was promised last, and whether it has been told. */
  #promised = 0;
  #isTold = true;

  /** `run`: tells this run of the request from an earlier one here; undefined for the first. */
  constructor(request: IncomingRequest, options: ResolvedServeOptions, replies: ReplySender, run: string | undefined) {
    this.#request = request;
    this.#run = run;
    this.#options = options;
    this.#replies = replies;
  }

  /** In the middle of a large one. */
  get isSending(): boolean {
    return this.#large !== undefined;
  }

  /** There is more to send than there is room for. */
  get isHeldUp(): boolean {
    return this.#large !== undefined || !this.#isTold;
  }

  /** The highest sequence that was sent whole. */
  get completed(): number {
    return this.#large === undefined ? this.sequence : this.sequence - 1;
  }

  send(body: OutgoingBody): void {
    this.sequence += 1;
    if (body.bytes.byteLength > this.#options.fragmentBytes) {
      this.#large = { body, next: 0 };
      this.#pumpLarge();
      return;
    }
    const headers = this.#headers(body.headers);
    // Numbers are what makes the difference: without them nothing may be missing.
    if (this.#request.version === "V5") headers[FRAME_HEADER.sequence] = String(this.sequence);
    this.#send(FRAME.response, headers, body.bytes, body.contentType);
  }

  /** Sends what waits while there is room. */
  pump(now: number): void {
    if (!this.#isTold) this.#tellPromise(now);
    this.#pumpLarge();
  }

  #pumpLarge(): void {
    const large = this.#large;
    if (large === undefined) return;
    const { bytes, headers, contentType } = large.body;
    const { fragmentBytes } = this.#options;
    const total = fragmentCount(bytes.byteLength, fragmentBytes);
    while (large.next < total) {
      if (!this.#replies.frames.hasRoom) return;
      const own = this.#headers(undefined);
      own[FRAME_HEADER.sequence] = String(this.sequence);
      own[FRAME_HEADER.fragment] = String(large.next);
      this.#send(FRAME.fragment, own, fragmentAt(bytes, large.next, fragmentBytes));
      large.next += 1;
    }
    if (!this.#replies.frames.hasRoom) return;
    const own = this.#headers(headers);
    own[FRAME_HEADER.sequence] = String(this.sequence);
    own[FRAME_HEADER.fragments] = String(total);
    own[FRAME_HEADER.checksum] = checksumOf(bytes);
    this.#send(FRAME.fragmentEnd, own, undefined, contentType);
    this.#large = undefined;
  }

  keepAlive(ms: number, now: number): void {
    if (!(ms > 0)) return;
    this.#promised = Math.max(this.#promised, now + Math.min(ms, MAX_EXTEND_MS));
    this.#isTold = false;
    this.#tellPromise(now);
  }

  /** To be called on each new link: no gap would show that the last promise was lost. */
  repeatKeepAlive(now: number): void {
    if (this.#promised > now) this.#isTold = false;
    this.pump(now);
  }

  /** Only the newest: those before it mean less. */
  #tellPromise(now: number): void {
    if (!this.#replies.frames.hasRoom) return;
    this.#isTold = true;
    const left = Math.ceil(this.#promised - now);
    if (left <= 0) return;
    const headers = this.#headers(undefined);
    headers[FRAME_HEADER.extendMs] = String(left);
    this.#send(FRAME.keepAlive, headers, undefined);
  }

  end(): void {
    const { replyTo, id } = this.#request;
    if (replyTo === undefined) return;
    const headers = this.#headers(undefined);
    headers[FRAME_HEADER.totalResponses] = String(this.sequence);
    this.#replies.sendLast(replyTo, { type: FRAME.end, correlationId: id, headers });
  }

  /** The first frame of a call says how often it will be named: a server may die before the first Alive. */
  #headers(user: MessageHeaders | undefined): Record<string, string> {
    const headers: Record<string, string> = { ...user, [FRAME_HEADER.version]: this.#request.version };
    if (this.#run !== undefined) headers[FRAME_HEADER.run] = this.#run;
    if (this.#isFirst && this.#request.version === "V5") {
      this.#isFirst = false;
      headers[FRAME_HEADER.aliveMs] = String(this.#options.keepAliveMs);
    }
    return headers;
  }

  #send(type: string, headers: Record<string, string>, body: Uint8Array | undefined, contentType?: string): void {
    const { replyTo, id } = this.#request;
    if (replyTo !== undefined) this.#replies.send(replyTo, { type, correlationId: id, headers, body, contentType });
  }
}
