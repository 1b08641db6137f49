import { consumeAllLanes } from "../../src/driver/consume-all-lanes.js";
import type {
  Address,
  ConnectOptions,
  DriverConnection,
  DriverConsumeOptions,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  QueueSpec,
  WireDelivery,
  WireMessage,
} from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { NodeId } from "../../src/ports/broadcast.js";
import type { AmqpChannel } from "./amqp.js";
import { type BrokerQueue, brokerQueue } from "./broker-queue.js";
import { RabbitmqConsumer } from "./consumer.js";
import { DeclaringChannel } from "./declaring-channel.js";
import { FramePublisher } from "./frame-publisher.js";
import type { DelayLadder } from "./ladder.js";
import type { Link } from "./link.js";
import { Listening } from "./listening.js";
import { toBuffer, toPublishOptions } from "./mapping.js";
import type { ResolvedRabbitmqOptions } from "./options.js";
import { QueuePublisher } from "./queue-publisher.js";
import type { ServerRules } from "./server-rules.js";
import { settledWithin } from "./settled-within.js";
import { Topology } from "./topology.js";

export interface ConnectionParts {
  /** A blocked link stops everything on it: publishing and consuming have one each. */
  readonly publishing: Link;
  readonly consuming: Link;
  /** On the publishing link. */
  readonly frameChannel: AmqpChannel;
  readonly options: ResolvedRabbitmqOptions;
  readonly rules: ServerRules;
  readonly ladder: DelayLadder;
}

type Told = Pick<ConnectOptions, "onLost" | "onBlocked" | "onReturned">;

export class RabbitmqConnection implements DriverConnection {
  readonly #parts: ConnectionParts;
  readonly #onLost: (error: unknown) => void;
  readonly #publisher: QueuePublisher;
  readonly #frames: FramePublisher;
  readonly #consumingTopology: Topology;
  readonly #listening: Listening;
  readonly #consumers = new Set<RabbitmqConsumer>();
  #over = false;
  #closed: Promise<void> | undefined;

  constructor(parts: ConnectionParts, { onLost, onBlocked, onReturned }: Told) {
    const { publishing, consuming, frameChannel, options, rules, ladder } = parts;
    this.#parts = parts;
    this.#onLost = onLost;
    const publishingTopology = new Topology(new DeclaringChannel(publishing), options, rules, ladder);
    const declaring = new DeclaringChannel(consuming);
    this.#consumingTopology = new Topology(declaring, options, rules, ladder);
    this.#publisher = new QueuePublisher(publishing, publishingTopology, ladder);
    this.#frames = new FramePublisher(frameChannel, publishingTopology, onReturned);
    this.#listening = new Listening(consuming, declaring, this.#consumingTopology, () => this.#over);

    // Frames have no one else who could be told: what was on a lost channel is gone. If its link is lost, that is told
    // a moment later, and says why.
    let frameError: Error | undefined;
    frameChannel.on("error", (error) => {
      frameError = error;
    });
    frameChannel.on("close", () =>
      queueMicrotask(() =>
        this.#lose(frameError ?? new MessagingError("UNAVAILABLE", "the channel for frames was lost")),
      ),
    );
    publishing.onLost((error) => this.#lose(error));
    consuming.onLost((error) => this.#lose(error));
    publishing.onBlocked((blocked) => {
      if (!this.#over) onBlocked(blocked);
    });
    if (publishing.blocked) onBlocked(true);
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    if (this.#over) return Promise.reject(ended());
    switch (to.kind) {
      case "inbox":
        return this.#frames.toInbox(to.address, message);
      case "broadcast":
        return this.#frames.toBroadcast(to.name, to.node, message);
      case "queue":
        return this.#toQueue(brokerQueue(to.queue, to.lane), message);
    }
  }

  async consume(
    spec: QueueSpec,
    { prefetch, lane }: DriverConsumeOptions,
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    if (this.#over) throw ended();
    if (spec.lanes && lane === undefined) {
      return consumeAllLanes((one, onLoss) => this.consume(spec, { prefetch, lane: one }, onDelivery, onLoss), onLost);
    }
    const { consuming, options, ladder } = this.#parts;
    const queue = brokerQueue(spec, lane);
    await this.#consumingTopology.queue(queue);
    if (!queue.isLane) await this.#consumingTopology.reachable(queue.name);
    const consumer = new RabbitmqConsumer({
      channel: await consuming.createChannel(),
      queue,
      publisher: this.#publisher,
      ladder,
      counted: options.queueType === "quorum" && !queue.isLane,
      onDelivery,
      // A channel dies before its link says so, and the loss of the link is told by the connection.
      onLost: (error) => queueMicrotask(() => (this.#over ? undefined : onLost(error))),
      onClosed: (closed) => this.#consumers.delete(closed),
    });
    this.#consumers.add(consumer);
    await consumer.start(prefetch);
    return consumer;
  }

  async subscribe(
    broadcast: string,
    node: NodeId,
    onMessage: (message: WireMessage) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverResource> {
    if (this.#over) throw ended();
    return this.#listening.subscribe(broadcast, node, onMessage, onLost);
  }

  async openInbox(onMessage: (message: WireMessage) => void, onLost: (error: unknown) => void): Promise<DriverInbox> {
    if (this.#over) throw ended();
    return this.#listening.openInbox(onMessage, onLost);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #toQueue(queue: BrokerQueue, message: WireMessage): Promise<void> {
    const delayMs = message.delayMs ?? 0;
    const options = toPublishOptions(message, true, delayMs > 0 ? "delayed" : "directly");
    return this.#publisher.publish(queue, toBuffer(message.body), options, delayMs);
  }

  /** Channels first: closing a link overtakes what still waits in its channels. */
  async #close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { publishing, consuming, options } = this.#parts;
    const endsAt = Date.now() + options.closeTimeoutMs;
    await settledWithin(options.closeTimeoutMs, () =>
      Promise.allSettled([
        ...[...this.#consumers].map((consumer) => consumer.close()),
        this.#publisher.idle(),
        this.#frames.close(),
      ]),
    );
    const leftMs = Math.max(0, endsAt - Date.now());
    await Promise.all([publishing.close(leftMs), consuming.close(leftMs)]);
  }

  #lose(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#parts.publishing.destroy();
    this.#parts.consuming.destroy();
    this.#onLost(error);
  }
}

function ended(): MessagingError {
  return new MessagingError("UNAVAILABLE", "the link to the broker is lost or closed");
}
