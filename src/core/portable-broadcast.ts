import { MessagingError } from "../errors/messaging-error.js";
import type { Broadcast, BroadcastOptions, SubscribeOptions, Subscription } from "../ports/broadcast.js";
import type { Codec } from "../ports/codec.js";
import type { IncomingMessage, OutgoingMessage } from "../ports/message.js";
import type { CoreContext } from "./core-context.js";
import { checkName } from "./options.js";
import { PortableSubscription } from "./portable-subscription.js";
import { toWireMessage } from "./wire-message.js";

/** A signal later than this is none. */
const TIMEOUT_MS = 30_000;

export class PortableBroadcast<T> implements Broadcast<T> {
  readonly name: string;
  readonly #context: CoreContext;
  readonly #codec: Codec<T>;

  constructor(context: CoreContext, name: string, codec: Codec<T>) {
    this.name = name;
    this.#context = context;
    this.#codec = codec;
  }

  async publish(message: OutgoingMessage<T>, { node, signal }: BroadcastOptions = {}): Promise<void> {
    if (node !== undefined) checkName("node", node);
    const wire = toWireMessage(this.#context, this.#codec, message);
    try {
      await this.#context.outbox.publish({ kind: "broadcast", name: this.name, node }, wire, {
        what: `broadcast ${this.name}`,
        timeoutMs: TIMEOUT_MS,
        signal,
        // At most once: what may have been sent is not sent again.
        resend: false,
      });
    } catch (error) {
      throw this.#context.driver.toMessagingError(error);
    }
  }

  async subscribe(
    handler: (message: IncomingMessage<T>) => Promise<void> | void,
    { node = this.#context.nodeId, signal }: SubscribeOptions = {},
  ): Promise<Subscription> {
    checkName("node", node);
    if (typeof handler !== "function") throw new MessagingError("INVALID_ARGUMENT", "the handler must be a function");
    const subscription = new PortableSubscription<T>(this.#context, {
      name: this.name,
      codec: this.#codec,
      handler,
      node,
    });
    await subscription.start(signal);
    return subscription;
  }
}
