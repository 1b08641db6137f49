import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RequestSink } from "../../src/ports/request-sink.js";
import { BodyParts } from "./body-parts.js";
import type { CallRequest } from "./call-request.js";
import { Deadline, type SharedTimers } from "./call-rules.js";
import type { OpenCalls } from "./open-calls.js";
import { PART_EXTENDS_MS } from "./response-intake.js";

/** How long the next part of a request may take to come. */
const PART_WAIT_MS = 30_000;

/** A request that may begin once its body is there. */
export interface PendingRequest {
  readonly request: CallRequest;
  readonly sink: RequestSink;
  /** When its first frame came. */
  readonly arrivedAt: number;
  /** When its time is over, if nothing moves that. */
  readonly endsAt: number;
}

/** A request whose body is not whole yet. Holds room for all of it, until it is closed. */
export class RequestUpload {
  readonly pending: PendingRequest;
  readonly #open: OpenCalls;
  readonly #bytes: number;
  readonly #client: string;
  readonly #body: BodyParts;
  readonly #deadline: Deadline;
  readonly #nextPart: Deadline;

  /** Throws `REJECTED` when there is no room. */
  constructor(
    { clock, open }: { readonly clock: SharedTimers; readonly open: OpenCalls },
    pending: PendingRequest,
    body: { readonly first: Uint8Array; readonly bytes: number; readonly client: string },
    onLate: (error: MessagingError) => void,
  ) {
    this.pending = pending;
    this.#open = open;
    this.#bytes = body.bytes;
    this.#client = body.client;
    open.takeUpload(body.bytes, body.client);
    try {
      this.#body = new BodyParts(body.first, body.bytes);
    } catch (error) {
      open.releaseUpload(body.bytes, body.client);
      throw error;
    }
    // It holds room that others wait for: one who says much and sends nothing must not keep it.
    this.#nextPart = new Deadline(clock, PART_WAIT_MS, {
      onDeadline: () => onLate(new MessagingError("TIMEOUT", `no part of the request came within ${PART_WAIT_MS} ms`)),
    });
    this.#deadline = new Deadline(clock, pending.endsAt - clock.now(), {
      onDeadline: () => onLate(new MessagingError("TIMEOUT", "the request was not whole within the call's time")),
    });
  }

  /** When its time is over by now: each part moves it. */
  get endsAt(): number {
    return this.#deadline.endsAt;
  }

  /** The body, once it is whole. Throws `INVALID_ARGUMENT` for a part that cannot be right. */
  add(part: Uint8Array): Uint8Array | undefined {
    this.#body.add(part);
    this.#nextPart.extend(PART_WAIT_MS);
    if (this.pending.request.allowKeepAlive) this.#deadline.extend(PART_EXTENDS_MS);
    return this.#body.whole;
  }

  /** To be called once. */
  close(): void {
    this.#deadline.cancel();
    this.#nextPart.cancel();
    this.#open.releaseUpload(this.#bytes, this.#client);
  }
}
