import type { Address, WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { Cancel } from "../../ports/clock.js";
import { backoffMs } from "../../util/backoff.js";
import type { CoreContext } from "../core-context.js";
import { RECONNECT } from "../managed-connection.js";
import { PendingPublish, type PublishBounds } from "../pending-publish.js";
import type { CallHost } from "./call-host.js";
import type { InboxLife } from "./client-inbox.js";
import type { OutgoingRequest } from "./outgoing-request.js";

export interface PublishingOwner {
  /** It has arrived, whatever becomes of its confirm; or nobody waits for it any more. */
  readonly isSettled: boolean;
  /** The inbox that it is to be answered in. Undefined: one-way. */
  readonly life: InboxLife | undefined;
  onPublished(): void;
  /** It is not in the queue, or may not be, and must not be sent again: the call is to be failed and aborted. */
  lose(error: MessagingError): void;
}

/** Puts one request into its queue: once, or as often as it takes if running it twice does no harm. */
export class RequestPublishing {
  readonly #context: CoreContext;
  readonly #calls: CallHost;
  readonly #request: OutgoingRequest;
  readonly #owner: PublishingOwner;
  #tries = 0;
  #retry: Cancel | undefined;
  /** What has not been sent when the call ends must not be. */
  #pending: RequestPublish | undefined;

  constructor(context: CoreContext, calls: CallHost, request: OutgoingRequest, owner: PublishingOwner) {
    this.#context = context;
    this.#calls = calls;
    this.#request = request;
    this.#owner = owner;
  }

  /** It may be in the queue. */
  get hasBegun(): boolean {
    return this.#tries > 0;
  }

  publish(): void {
    this.#tries += 1;
    const { outbox, clock } = this.#context;
    const request = this.#request;
    const timeoutMs = Math.max(1, request.context.deadline - clock.now());
    const message = request.toFrame(this.#calls.clientId, this.#owner.life?.address, timeoutMs);
    const pending = new RequestPublish(this, request.address, message, request.publishBounds(timeoutMs), clock.now());
    this.#pending = pending;
    outbox.enter(pending);
  }

  onPublished(): void {
    this.#pending = undefined;
    this.#request.releaseBody();
    this.#owner.onPublished();
  }

  /** It has been answered: it is not sent again. */
  cancelRetry(): void {
    this.#retry?.();
  }

  /** The call is over. */
  end(error: MessagingError | undefined): void {
    this.#retry?.();
    const pending = this.#pending;
    // The server had it: its confirm is on its way, or late, which the publish's own bound ends.
    if (pending !== undefined && (error !== undefined || pending.sends === 0)) {
      this.#context.outbox.giveUp(pending, error ?? new MessagingError("ABORTED", "the call is over"));
    }
  }

  onFailed(error: MessagingError): void {
    this.#pending = undefined;
    const { isSettled, life } = this.#owner;
    if (isSettled) return;
    // Both had the same time, and whose timer fires first is chance.
    if (this.#context.clock.now() >= this.#request.context.deadline) {
      const text = "call: not ended within its time";
      this.#owner.lose(new MessagingError("TIMEOUT", text, { cause: error }));
      return;
    }
    const isSafe = this.#request.isIdempotent && error.retryable && !(life?.lost.hasEnded ?? true);
    if (!isSafe) {
      this.#owner.lose(error);
      return;
    }
    const waitMs = backoffMs(this.#tries, this.#context.random.fraction(), RECONNECT);
    this.#retry = this.#calls.timers.setTimer(waitMs, () => this.publish());
  }
}

/** One try. */
class RequestPublish extends PendingPublish {
  readonly #owner: RequestPublishing;

  constructor(owner: RequestPublishing, to: Address, message: WireMessage, bounds: PublishBounds, now: number) {
    super(to, message, bounds, now);
    this.#owner = owner;
  }

  override onPublished(): void {
    this.#owner.onPublished();
  }

  override onFailed(error: MessagingError): void {
    this.#owner.onFailed(error);
  }
}
