import type { Address, WireMessage } from "../driver/driver.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { CoreContext } from "./core-context.js";
import { PendingPublish, type PublishBounds } from "./pending-publish.js";

/** A publish of an application, which is told of its outcome after the observers. */
export class QueuePublish extends PendingPublish {
  readonly #context: CoreContext;
  readonly #resolve: () => void;
  readonly #reject: (error: MessagingError) => void;

  constructor(
    context: CoreContext,
    to: Address,
    message: WireMessage,
    bounds: PublishBounds,
    resolve: () => void,
    reject: (error: MessagingError) => void,
  ) {
    super(to, message, bounds, message.timestamp);
    this.#context = context;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  override onPublished(sends: number): void {
    if (this.#context.isObserved) this.#observePublished(sends);
    this.#resolve();
  }

  override onFailed(error: MessagingError): void {
    const { messageId } = this.message;
    this.#context.observe({ type: "publish-failed", queue: this.#queue, messageId, error });
    this.#reject(error);
  }

  #observePublished(sends: number): void {
    const { clock, observe } = this.#context;
    const { messageId } = this.message;
    observe({ type: "published", queue: this.#queue, messageId, ms: clock.now() - this.startedAt, sends });
  }

  get #queue(): string {
    return this.to.kind === "queue" ? this.to.queue.name : "";
  }
}
