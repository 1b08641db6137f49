import type { WireMessage } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import { type Deferred, deferred } from "../../src/util/deferred.js";
import type { AmqpChannel, AmqpProperties, AmqpPublishMethod, AmqpPublishOptions } from "./amqp.js";
import { type CompactInboxes, toCompact, toFrame } from "./compact-responses.js";
import { isDirectReplyTo } from "./direct-reply-to.js";
import { NODE_HEADER, SCOPE_ALL, SCOPE_HEADER } from "./headers.js";
import { toBuffer, toPublishOptions } from "./mapping.js";
import type { Topology } from "./topology.js";

const ROOM = Promise.resolve();

/** Publishes to inboxes and broadcasts: without confirms, held up only by the socket. */
export class FramePublisher {
  readonly #channel: AmqpChannel;
  readonly #topology: Topology;
  readonly #compact: CompactInboxes;
  readonly #onReturned: (frame: WireMessage) => void;
  /** By broadcast: true once its exchange is there, before that the last publish that waits for it. */
  readonly #exchanges = new Map<string, true | Promise<void>>();
  #drained: Deferred<void> | undefined;
  #closed = false;

  constructor(
    channel: AmqpChannel,
    topology: Topology,
    compact: CompactInboxes,
    onReturned: (frame: WireMessage) => void,
  ) {
    this.#channel = channel;
    this.#topology = topology;
    this.#compact = compact;
    this.#onReturned = onReturned;
    channel.on("drain", () => this.#settleDrain(undefined));
    channel.on("close", () => {
      this.#closed = true;
      this.#settleDrain(lost());
    });
    channel.on("return", (message) => onReturned(toFrame(message)));
  }

  /** Addresses come from outside. */
  toInbox(address: string, message: WireMessage): Promise<void> {
    if (isDirectReplyTo(address)) return this.#giveBack(message);
    const method = { exchange: "", routingKey: address, mandatory: true };
    const compact = this.#compact.has(address) ? toCompact(message) : undefined;
    return this.#send(method, compact ?? toPublishOptions(message), message.body);
  }

  toBroadcast(name: string, node: NodeId | undefined, message: WireMessage): Promise<void> {
    const options = toPublishOptions(message);
    if (node === undefined) options.headers[SCOPE_HEADER] = SCOPE_ALL;
    else options.headers[NODE_HEADER] = node;
    if (this.#exchanges.get(name) === true) return this.#send(toExchange(name), options, message.body);
    return this.#sendOnceDeclared(name, options, message.body);
  }

  /** Sends what waits, then closes. May stay open for good when the link dies meanwhile. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#exchanges.values()]);
    await this.#channel.close();
  }

  /** As the broker does with what is for an inbox that is not there. */
  #giveBack(frame: WireMessage): Promise<void> {
    if (this.#closed) return Promise.reject(lost());
    queueMicrotask(() => {
      if (!this.#closed) this.#onReturned(frame);
    });
    return ROOM;
  }

  #send(method: AmqpPublishMethod, options: AmqpProperties, body: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(lost());
    try {
      if (this.#channel.sendMessage(method, options, toBuffer(body))) return ROOM;
    } catch (error) {
      return Promise.reject(error);
    }
    this.#drained ??= deferred();
    return this.#drained.promise;
  }

  /** Each waits for the one before it, so that the order is kept. */
  async #sendOnceDeclared(name: string, options: AmqpPublishOptions, body: Uint8Array): Promise<void> {
    const before = this.#exchanges.get(name);
    const declared = before instanceof Promise ? before : this.#topology.broadcast(name);
    const sent = declared.then(() => ({ room: this.#send(toExchange(name), options, body) }));
    const waiting = sent.then(
      () => {
        if (this.#exchanges.get(name) === waiting) this.#exchanges.set(name, true);
      },
      (error: unknown) => {
        if (this.#exchanges.get(name) === waiting) this.#exchanges.delete(name);
        throw error;
      },
    );
    waiting.catch(() => {});
    this.#exchanges.set(name, waiting);
    await (await sent).room;
  }

  #settleDrain(error: MessagingError | undefined): void {
    const drained = this.#drained;
    this.#drained = undefined;
    if (error === undefined) drained?.resolve();
    else drained?.reject(error);
  }
}

function toExchange(exchange: string): AmqpPublishMethod {
  return { exchange, routingKey: "", mandatory: false };
}

function lost(): MessagingError {
  return new MessagingError("UNAVAILABLE", "the link to the broker was lost");
}
