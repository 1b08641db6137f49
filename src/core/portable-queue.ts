import type { Address, QueueSpec, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Codec } from "../ports/codec.js";
import type { OutgoingMessage } from "../ports/message.js";
import type { ConsumeOptions, Consumer, DeliveryHandler, PublishOptions, Queue } from "../ports/queue.js";
import type { CoreContext } from "./core-context.js";
import { checkPublishOptions, resolveConsumeOptions } from "./options.js";
import { PortableConsumer } from "./portable-consumer.js";
import { toWireMessage } from "./wire-message.js";

const DEAD_SUFFIX = ".dead";
const DEFAULT_TIMEOUT_MS = 30_000;

/** What the driver may declare for a queue of this name. A dead-letter queue has none of its own, nor have lanes. */
function queueSpec(name: string, { deadLetter }: { readonly deadLetter: boolean }, lanes: boolean): QueueSpec {
  const hasOne = deadLetter && !lanes && !name.endsWith(DEAD_SUFFIX);
  return { name, deadLetterQueue: hasOne ? `${name}${DEAD_SUFFIX}` : undefined, lanes };
}

export class PortableQueue<T> implements Queue<T> {
  readonly name: string;
  readonly #context: CoreContext;
  readonly #codec: Codec<T>;
  readonly #spec: QueueSpec;

  constructor(context: CoreContext, name: string, codec: Codec<T>, lanes: boolean) {
    this.name = name;
    this.#context = context;
    this.#codec = codec;
    this.#spec = queueSpec(name, context.driver.capabilities.queue, lanes);
  }

  async publish(message: OutgoingMessage<T>, options: PublishOptions = {}): Promise<void> {
    const { driver, clock, observe, outbox } = this.#context;
    checkPublishOptions(options, driver.capabilities, this.#spec);
    const wire = this.#toWire(message, options);
    const started = clock.now();
    try {
      const sends = await outbox.publish(this.#address(options), wire, {
        what: `publish to ${this.name}`,
        timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        signal: options.signal,
        resend: options.resend ?? true,
      });
      observe({ type: "published", queue: this.name, messageId: wire.messageId, ms: clock.now() - started, sends });
    } catch (error) {
      const failure = driver.toMessagingError(error);
      observe({ type: "publish-failed", queue: this.name, messageId: wire.messageId, error: failure });
      throw failure;
    }
  }

  async consume(handler: DeliveryHandler<T>, options: ConsumeOptions = {}): Promise<Consumer> {
    const resolved = resolveConsumeOptions(options, this.#context.driver.capabilities, this.#spec);
    if (typeof handler !== "function") throw new MessagingError("INVALID_ARGUMENT", "the handler must be a function");
    const consumer = new PortableConsumer<T>(this.#context, this.#spec, this.#codec, handler, resolved);
    await consumer.start();
    return consumer;
  }

  #address({ priority }: PublishOptions): Address {
    const queue = this.#spec;
    return queue.lanes ? { kind: "queue", queue, lane: priority ?? "standard" } : { kind: "queue", queue };
  }

  #toWire(message: OutgoingMessage<T>, options: PublishOptions): WireMessage {
    const { delayMs, expiresInMs, priority, persistent } = options;
    return {
      ...toWireMessage(this.#context, this.#codec, message),
      priority,
      delayMs: delayMs === 0 ? undefined : delayMs,
      expiresInMs,
      persistent: persistent ?? (this.#context.driver.capabilities.queue.persistent && !this.#spec.lanes),
    };
  }
}
