import type { ServerDuplexStream } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import type { Cancel, Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";
import { Ring } from "../../src/util/ring.js";
import { toEventStatus } from "./event-errors.js";
import { toEventPost } from "./events-mapping.js";
import { FrameWriter } from "./frame-writer.js";
import type { NewEvent__Output } from "./gen/fairlead/v1/NewEvent.js";
import type { PostEventsRequest__Output } from "./gen/fairlead/v1/PostEventsRequest.js";
import type { PostEventsResponse } from "./gen/fairlead/v1/PostEventsResponse.js";
import type { TokenBucket } from "./limits/token-bucket.js";
import { holdOneMessage } from "./one-at-a-time.js";
import { PostResults } from "./post-results.js";
import type { PostRoom } from "./post-room.js";
import { StreamEnd } from "./stream-end.js";
import type { StrictRequests } from "./strict-requests.js";

export type PostCall = ServerDuplexStream<PostEventsRequest__Output, PostEventsResponse>;

export interface PostStreamOptions {
  readonly call: PostCall;
  readonly events: EventService;
  readonly requests: StrictRequests;
  readonly room: PostRoom;
  readonly isDraining: () => boolean;
  readonly clock: Clock;
  /** How fast the client may post, on all its streams together; undefined: as fast as it can. */
  readonly rate: TokenBucket | undefined;
  /** Whose share of the room for waiting requests this takes. */
  readonly client: string;
}

/** What one stream may have on its way to the broker. */
const MAX_POSTS = 1_000;
const MAX_BYTES = 16_777_216;
/** What an event weighs beside its body, in a request that waits. */
const EVENT_BYTES = 512;
const RESULT_BYTES = 64;

interface WaitingRequest {
  readonly events: readonly NewEvent__Output[];
  readonly bytes: number;
  /** It may not wait: its events are refused. */
  readonly isRefused: boolean;
  next: number;
}

/** One PostEvents call: reads as there is room for what it reads. */
export class PostStream {
  readonly ending: StreamEnd;
  readonly #options: PostStreamOptions;
  readonly #requests = new Ring<WaitingRequest>();
  readonly #results = new PostResults();
  readonly #writer: FrameWriter<PostEventsResponse>;
  /** A wait for the client's rate. */
  #cancelWait: Cancel | undefined;
  #sequence = 0;
  #posts = 0;
  #bytes = 0;
  #isHalfClosed = false;
  #tellsSoon = false;

  constructor(options: PostStreamOptions) {
    const { call } = options;
    this.#options = options;
    this.ending = new StreamEnd(call);
    this.#writer = new FrameWriter({
      stream: call,
      bodyBytes: ({ results = [] }) =>
        results.reduce((sum, { message = "" }) => sum + RESULT_BYTES + message.length, 0),
      onWritten: () => this.#pump(),
    });
    onAbort(this.ending.gone, () => this.#stop());
  }

  start(): void {
    const { call } = this.#options;
    holdOneMessage(call);
    call.on("data", (request: PostEventsRequest__Output) => this.#take(request));
    call.once("end", () => {
      this.#isHalfClosed = true;
      this.#pump();
    });
  }

  /** Tells what it knows, and ends the stream with the error. What is on its way may be stored. */
  async fail(thrown: unknown): Promise<void> {
    if (this.ending.hasBegun) return;
    this.#tell();
    this.#stop();
    await this.ending.fail(toEventStatus(thrown));
  }

  #take(request: PostEventsRequest__Output): void {
    if (this.ending.hasBegun) return;
    try {
      this.#options.requests.check(request);
    } catch (error) {
      void this.fail(error);
      return;
    }
    const { events } = request;
    const bytes = events.reduce((sum, { body }) => sum + EVENT_BYTES + body.byteLength, 0);
    const isKept = this.#options.room.keepRequest(bytes, this.#options.client);
    this.#requests.push({ events, bytes: isKept ? bytes : 0, isRefused: !isKept, next: 0 });
    this.#pump();
  }

  /** Posts what there is room for; reads on when nothing waits; ends when there is nothing left to come. */
  #pump(): void {
    if (this.ending.hasBegun) return;
    const { call, room, client } = this.#options;
    for (let request = this.#requests.peek(); request !== undefined; request = this.#requests.peek()) {
      const event = request.events[request.next];
      if (event === undefined) {
        this.#requests.shift();
        room.forgetRequest(request.bytes, client);
        continue;
      }
      if (!this.#hasRoom) break;
      if (room.isFull && !request.isRefused) {
        room.wait(this.#onRoom);
        break;
      }
      if (!this.#isInTime) break;
      request.next += 1;
      this.#post(event, request.isRefused);
    }
    if (this.#requests.size > 0) call.pause();
    else if (!this.#isHalfClosed) call.resume();
    else if (this.#posts === 0) this.#finish();
  }

  get #hasRoom(): boolean {
    return this.#posts < MAX_POSTS && this.#bytes < MAX_BYTES && this.#results.size < MAX_POSTS && !this.#writer.isFull;
  }

  /** Whether the client may post another one now. If not, it goes on when it may. */
  get #isInTime(): boolean {
    const { rate, clock, isDraining } = this.#options;
    // What is refused anyway is told at once.
    if (rate === undefined || isDraining()) return true;
    if (this.#cancelWait !== undefined) return false;
    const waitMs = rate.take(clock.now());
    if (waitMs === 0) return true;
    this.#cancelWait = clock.setTimer(waitMs, () => {
      this.#cancelWait = undefined;
      this.#pump();
    });
    return false;
  }

  readonly #onRoom = (): void => this.#pump();

  #post(message: NewEvent__Output, isRefused: boolean): void {
    const { events, requests, room, isDraining } = this.#options;
    this.#sequence += 1;
    const sequence = this.#sequence;
    try {
      if (isRefused) throw new MessagingError("REJECTED", "too much waits to be posted already; try again later");
      if (isDraining()) throw new MessagingError("CLOSED", "this server is shutting down; post to another");
      requests.check(message);
      const { event, postId } = toEventPost(message);
      const bytes = event.body.byteLength;
      const settle = (): void => {
        this.#posts -= 1;
        this.#bytes -= bytes;
        room.leave(bytes);
        this.#tellSoon();
      };
      this.#posts += 1;
      this.#bytes += bytes;
      room.enter(bytes);
      events.post(event, { postId }).then(
        () => {
          this.#results.stored(sequence);
          settle();
        },
        (error: unknown) => {
          this.#results.failed(sequence, error);
          settle();
        },
      );
    } catch (error) {
      this.#results.failed(sequence, error);
      this.#tellSoon();
    }
  }

  /** Results of one turn go together. */
  #tellSoon(): void {
    if (this.#tellsSoon || this.ending.hasBegun) return;
    this.#tellsSoon = true;
    setImmediate(() => {
      this.#tellsSoon = false;
      this.#tell();
      this.#pump();
    });
  }

  #tell(): void {
    if (this.ending.hasBegun) return;
    for (const response of this.#results.take()) this.#writer.write(response);
  }

  #finish(): void {
    this.#tell();
    this.#stop();
    void this.ending.finish();
  }

  /** Nothing more is posted. */
  #stop(): void {
    const { room, client } = this.#options;
    this.#cancelWait?.();
    room.stopWaiting(this.#onRoom);
    for (let request = this.#requests.shift(); request !== undefined; request = this.#requests.shift()) {
      room.forgetRequest(request.bytes, client);
    }
    this.#writer.close();
  }
}
