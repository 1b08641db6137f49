import type { DriverInbox, DriverResource, WireMessage } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { AmqpChannel, AmqpMessage } from "./amqp.js";
import { toFrame } from "./compact-responses.js";
import type { DeclaringChannel } from "./declaring-channel.js";
import { NODE_HEADER, SCOPE_ALL, SCOPE_HEADER } from "./headers.js";
import type { Link } from "./link.js";
import { toWireMessage } from "./mapping.js";
import type { Topology } from "./topology.js";

type OnMessage = (message: WireMessage) => void;
type OnReceived = (message: AmqpMessage) => void;
type OnLost = (error: unknown) => void;

interface SharedChannel {
  readonly channel: AmqpChannel;
  /** What hangs on it, by how it is told the end. */
  readonly listeners: Set<OnLost>;
}

/**
 * The queues of inboxes and subscriptions: named by the broker, ours alone, gone when nobody consumes or the link ends. One that
 * comes when it is not waited for any more never has a consumer: it expires, after this many milliseconds.
 */
const OWN_QUEUE = {
  durable: false,
  exclusive: true,
  autoDelete: true,
  arguments: { "x-queue-type": "classic", "x-expires": 60_000 },
};

/** Inboxes and subscriptions, all consumed on one channel, without acks. */
export class Listening {
  readonly #link: Link;
  readonly #declaring: DeclaringChannel;
  readonly #topology: Topology;
  #shared: Promise<SharedChannel> | undefined;

  readonly #isClosing: () => boolean;

  /** `isClosing`: a close that was asked for, which nobody is told. */
  constructor(link: Link, declaring: DeclaringChannel, topology: Topology, isClosing: () => boolean) {
    this.#isClosing = isClosing;
    this.#link = link;
    this.#declaring = declaring;
    this.#topology = topology;
  }

  async openInbox(onMessage: OnMessage, onLost: OnLost): Promise<DriverInbox> {
    const { queue } = await this.#declaring.run((channel) => channel.assertQueue("", OWN_QUEUE));
    const { stop } = await this.#consume(queue, "inbox", (message) => onMessage(toFrame(message)), onLost);
    return { address: queue, stop };
  }

  /** What is for all, and what is for this node, match a binding each. What matched both would still come once. */
  async subscribe(broadcast: string, node: NodeId, onMessage: OnMessage, onLost: OnLost): Promise<DriverResource> {
    await this.#topology.broadcast(broadcast);
    const queue = await this.#declaring.run(async (channel) => {
      const declared = await channel.assertQueue("", OWN_QUEUE);
      await channel.bindQueue(declared.queue, broadcast, "", { "x-match": "all", [SCOPE_HEADER]: SCOPE_ALL });
      await channel.bindQueue(declared.queue, broadcast, "", { "x-match": "all", [NODE_HEADER]: node });
      return declared.queue;
    });
    const what = `subscription to "${broadcast}"`;
    return this.#consume(queue, what, (message) => onMessage(toWireMessage(message)), onLost);
  }

  async #consume(queue: string, what: string, onMessage: OnReceived, onLost: OnLost): Promise<DriverResource> {
    const { channel, listeners } = await this.#open();
    let live = false;
    let cause: unknown;
    const end = (error: unknown): void => {
      if (!listeners.delete(end)) return;
      cause = error;
      // A channel dies before its link says so, and the loss of the link is told by the connection.
      queueMicrotask(() => {
        if (live && !this.#link.over && !this.#isClosing()) onLost(error);
      });
    };
    listeners.add(end);
    const consuming = channel.consume(
      queue,
      (message) => {
        if (!listeners.has(end)) return;
        if (message === null) {
          end(new MessagingError("UNAVAILABLE", `the broker ended the ${what}: its queue is gone`));
          return;
        }
        try {
          onMessage(message);
        } catch (error) {
          // Thrown on, it would end the whole connection. Left running, it would keep its queue for as long as that lasts.
          end(error);
          void cancel();
        }
      },
      { noAck: true },
    );
    const cancel = (): Promise<unknown> =>
      consuming.then(({ consumerTag }) => channel.cancel(consumerTag)).catch(() => {});
    try {
      await consuming;
      if (!listeners.has(end)) throw cause;
      live = true;
      return {
        stop: async () => {
          if (listeners.delete(end)) await cancel();
        },
      };
    } finally {
      if (!live) listeners.delete(end);
    }
  }

  #open(): Promise<SharedChannel> {
    this.#shared ??= this.#link.createChannel().then(
      (channel) => {
        const listeners = new Set<OnLost>();
        let cause: unknown = new MessagingError("UNAVAILABLE", "the channel of inboxes and subscriptions was lost");
        channel.on("error", (error) => {
          cause = error;
        });
        channel.on("close", () => {
          this.#shared = undefined;
          for (const end of listeners) end(cause);
        });
        return { channel, listeners };
      },
      (error: unknown) => {
        this.#shared = undefined;
        throw error;
      },
    );
    return this.#shared;
  }
}
