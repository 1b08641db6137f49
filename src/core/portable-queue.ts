import type { Address, QueueSpec, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "../ports/codec.js";
import type { OutgoingMessage, Priority } from "../ports/message.js";
import type { ConsumeOptions, Consumer, DeliveryHandler, PublishOptions, Queue } from "../ports/queue.js";
import type { CoreContext } from "./core-context.js";
import { checkPublishOptions, resolveConsumeOptions } from "./options.js";
import type { PublishBounds } from "./pending-publish.js";
import { PortableConsumer } from "./portable-consumer.js";
import { QueuePublish } from "./queue-publish.js";
import { queueSpec } from "./queue-spec.js";
import { toWireMessage, type WireOptions } from "./wire-message.js";

const DEFAULT_TIMEOUT_MS = 30_000;

export class PortableQueue<T> implements Queue<T> {
  readonly name: string;
  readonly #context: CoreContext;
  readonly #codec: Codec<T>;
  readonly #spec: QueueSpec;
  /** Of a publish without options: made once, as what is said of it in errors is. */
  readonly #wireOptions: WireOptions;
  readonly #bounds: PublishBounds;
  readonly #addresses: Readonly<Record<Priority, Address>>;

  constructor(context: CoreContext, name: string, codec: Codec<T>, lanes: boolean) {
    this.name = name;
    this.#context = context;
    this.#codec = codec;
    this.#spec = queueSpec(name, context.driver.capabilities, lanes);
    this.#wireOptions = this.#wireOptionsOf({});
    this.#bounds = {
      what: `publish to ${name}`,
      timeoutMs: DEFAULT_TIMEOUT_MS,
      signal: undefined,
      resend: true,
    };
    this.#addresses = addressesOf(this.#spec);
  }

  publish(message: OutgoingMessage<T>, options?: PublishOptions): Promise<void> {
    let wire: WireMessage;
    try {
      wire = this.#toWire(message, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const to = this.#addresses[options?.priority ?? "standard"];
    const bounds = options === undefined ? this.#bounds : this.#boundsOf(options);
    return new Promise<void>((resolve, reject) => {
      const { outbox } = this.#context;
      outbox.enter(new QueuePublish(this.#context, to, wire, bounds, resolve, reject));
    });
  }

  async consume(handler: DeliveryHandler<T>, options: ConsumeOptions = {}): Promise<Consumer> {
    const resolved = resolveConsumeOptions(options, this.#context.driver.capabilities, this.#spec);
    if (typeof handler !== "function") throw new MessagingError("INVALID_ARGUMENT", "the handler must be a function");
    const consumer = new PortableConsumer<T>(this.#context, this.#spec, this.#codec, handler, resolved);
    await consumer.start();
    return consumer;
  }

  #toWire(message: OutgoingMessage<T>, options: PublishOptions | undefined): WireMessage {
    if (options === undefined) return toWireMessage(this.#context, this.#codec, message, this.#wireOptions);
    checkPublishOptions(options, this.#context.driver.capabilities, this.#spec);
    if (options.uniqueForMs !== undefined && message.messageId === undefined) {
      throw new MessagingError("INVALID_ARGUMENT", "uniqueForMs needs a messageId: a new one is always unique");
    }
    return toWireMessage(this.#context, this.#codec, message, this.#wireOptionsOf(options));
  }

  #wireOptionsOf({ delayMs, expiresInMs, uniqueForMs, priority, persistent }: PublishOptions): WireOptions {
    return {
      priority,
      delayMs: delayMs === 0 ? undefined : delayMs,
      expiresInMs,
      uniqueForMs,
      persistent: persistent ?? (this.#context.driver.capabilities.queue.persistent && !this.#spec.lanes),
    };
  }

  #boundsOf({ timeoutMs = DEFAULT_TIMEOUT_MS, signal, resend = true }: PublishOptions): PublishBounds {
    return { what: this.#bounds.what, timeoutMs, signal, resend };
  }
}

/** Where a message of this priority goes: only lanes are addresses of their own. */
function addressesOf(queue: QueueSpec): Readonly<Record<Priority, Address>> {
  const to = (lane: Priority): Address => ({ kind: "queue", queue, lane });
  if (queue.lanes) return { bulk: to("bulk"), standard: to("standard"), expedite: to("expedite") };
  const only: Address = { kind: "queue", queue };
  return { bulk: only, standard: only, expedite: only };
}
