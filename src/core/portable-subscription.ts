import type { DriverResource, WireMessage } from "../driver/driver.js";
import type { NodeId, Subscription, SubscriptionState } from "../ports/broadcast.js";
import type { Codec } from "../ports/codec.js";
import type { CloseOptions } from "../ports/lifecycle.js";
import type { IncomingMessage } from "../ports/message.js";
import { toError } from "../util/error-text.js";
import { Ring } from "../util/ring.js";
import type { CoreContext } from "./core-context.js";
import { SupervisedPort } from "./supervised-port.js";
import { toIncomingMessage } from "./wire-message.js";

/** Promised by the Broadcast port. */
const MAX_WAITING = 1_000;

export interface SubscriptionTarget<T> {
  readonly name: string;
  readonly codec: Codec<T>;
  readonly node: NodeId;
  handler(message: IncomingMessage<T>): Promise<void> | void;
}

/** A subscription that outlives channels, connections and brokers; what is sent while it recovers is missed. */
export class PortableSubscription<T> implements Subscription {
  readonly closed: Promise<Error | undefined>;
  readonly #context: CoreContext;
  readonly #target: SubscriptionTarget<T>;
  readonly #port: SupervisedPort<DriverResource>;
  readonly #waiting = new Ring<WireMessage>();
  #handling = false;

  constructor(context: CoreContext, target: SubscriptionTarget<T>) {
    this.#context = context;
    this.#target = target;
    this.#port = new SupervisedPort<DriverResource>(context, {
      what: `subscribe to ${target.name}`,
      owner: this,
      create: (connection, onLost) =>
        connection.subscribe(target.name, target.node, (message) => this.#onMessage(message), onLost),
      onState: (state, error) => context.observe({ type: "subscription", broadcast: target.name, state, error }),
      onClosing: () => this.#discardWaiting(),
      left: () => (this.#handling ? 1 : 0),
      // A broadcast has no signal to abort and nothing to give back.
      interrupt: () => {},
      abandon: () => {
        this.#handling = false;
        this.#port.progress();
      },
    });
    this.closed = this.#port.closed;
  }

  get state(): SubscriptionState {
    return this.#port.state;
  }

  /** Resolves once live. */
  start(signal: AbortSignal | undefined): Promise<void> {
    return this.#port.start(signal);
  }

  close(options: CloseOptions = {}): Promise<void> {
    return this.#port.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onMessage(message: WireMessage): void {
    if (this.#port.isClosing) {
      this.#discard(message, "the subscription was closed");
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) {
      this.#discard(message, `the handler is behind: ${MAX_WAITING} messages wait`);
      return;
    }
    this.#waiting.push(message);
    if (!this.#handling) void this.#handleAll();
  }

  async #handleAll(): Promise<void> {
    this.#handling = true;
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      await this.#handle(message);
    }
    this.#handling = false;
    this.#port.progress();
  }

  async #handle(wire: WireMessage): Promise<void> {
    try {
      await this.#target.handler(toIncomingMessage(this.#target.codec, wire));
    } catch (thrown) {
      const error = toError(thrown);
      const { observe } = this.#context;
      observe({ type: "handler-failed", source: this.#target.name, messageId: wire.messageId, error });
    }
  }

  #discard(message: WireMessage, reason: string): void {
    const { observe } = this.#context;
    observe({ type: "discarded", source: this.#target.name, reason, messageId: message.messageId });
  }

  #discardWaiting(): void {
    for (let message = this.#waiting.shift(); message !== undefined; message = this.#waiting.shift()) {
      this.#discard(message, "the subscription was closed");
    }
  }
}
