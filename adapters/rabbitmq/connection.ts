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
import type { QueueCounts } from "../../src/ports/inspection.js";
import type { AmqpChannel } from "./amqp.js";
import { type BrokerQueue, brokerQueue } from "./broker-queue.js";
import { CompactInboxes } from "./compact-responses.js";
import { RabbitmqConsumer } from "./consumer.js";
import { ConsumerWatch, type WatchTimes } from "./consumer-watch.js";
import { CredentialRenewal } from "./credential-renewal.js";
import type { CredentialsTerm } from "./credentials.js";
import { DeclarationTurns } from "./declaration-turns.js";
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
import { Taking } from "./taking.js";
import { Topology } from "./topology.js";

export interface LinkParts {
  /** A blocked link stops everything on it: publishing and consuming have one each. */
  readonly publishing: Link;
  readonly consuming: Link;
  /** On the publishing link. */
  readonly frameChannel: AmqpChannel;
  readonly options: ResolvedRabbitmqOptions;
  readonly rules: ServerRules;
  readonly ladder: DelayLadder;
  /** Default: those of the watch. */
  readonly watchTimes?: WatchTimes | undefined;
}

export interface ConnectionParts extends LinkParts {
  /** The host, for people. */
  readonly endpoint: string;
  /** Of those with which the links were opened, if they did not come with the URL. */
  readonly credentials: CredentialsTerm | undefined;
}

type Told = Omit<ConnectOptions, "signal">;

export class RabbitmqConnection implements DriverConnection {
  readonly endpoint: string;
  readonly #parts: ConnectionParts;
  readonly #onLost: (error: unknown) => void;
  readonly #publisher: QueuePublisher;
  readonly #frames: FramePublisher;
  readonly #compact = new CompactInboxes();
  readonly #consumingTopology: Topology;
  readonly #listening: Listening;
  readonly #taking: Taking;
  readonly #consumers = new Set<RabbitmqConsumer>();
  readonly #watch: ConsumerWatch;
  readonly #renewal: CredentialRenewal | undefined;
  #over = false;
  #closed: Promise<void> | undefined;

  constructor(parts: ConnectionParts, { onLost, onBlocked, onReturned, onRenewed }: Told) {
    const { publishing, consuming, frameChannel, options, rules, ladder } = parts;
    this.endpoint = parts.endpoint;
    this.#parts = parts;
    this.#onLost = onLost;
    const turns = new DeclarationTurns();
    const { connectTimeoutMs } = options;
    const publishingChannel = new DeclaringChannel(publishing, connectTimeoutMs);
    const publishingTopology = new Topology(publishingChannel, options, rules, ladder, turns);
    const declaring = new DeclaringChannel(consuming, connectTimeoutMs);
    this.#consumingTopology = new Topology(declaring, options, rules, ladder, turns);
    this.#watch = new ConsumerWatch(async (queue) => {
      const { messageCount } = await declaring.run((channel) => channel.checkQueue(queue), {
        subject: `a look at ${queue}`,
      });
      return messageCount;
    }, parts.watchTimes);
    this.#publisher = new QueuePublisher(publishing, publishingTopology, ladder, (queue) => this.#watch.deleted(queue));
    this.#frames = new FramePublisher(frameChannel, publishingTopology, this.#compact, onReturned);
    this.#taking = new Taking({
      link: consuming,
      declaring,
      publisher: this.#publisher,
      ladder,
      counted: options.queueType === "quorum",
    });
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
    this.#renewal = this.#renewCredentials(onRenewed);
  }

  publish(to: Address, message: WireMessage): Promise<void> {
    if (this.#over) return Promise.reject(ended());
    switch (to.kind) {
      case "inbox":
        return this.#frames.toInbox(to.address, message);
      case "broadcast":
        return this.#frames.toBroadcast(to.name, to.node, message);
      case "queue":
        return this.#toQueue(to, message);
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
      // What somebody else has declared may be of another type.
      isClassic: options.topology === "declare" && (options.queueType === "classic" || queue.isLane),
      onDelivery: (delivery) => {
        if (queue.isLane) this.#compact.note(delivery.received);
        onDelivery(delivery);
      },
      // A channel dies before its link says so, and the loss of the link is told by the connection.
      onLost: (error) => queueMicrotask(() => (this.#over ? undefined : onLost(error))),
      onDeleted: () => this.#watch.deleted(queue.name),
      onClosed: (closed) => {
        this.#consumers.delete(closed);
        this.#watch.delete(closed);
      },
    });
    this.#consumers.add(consumer);
    await consumer.start(prefetch);
    if (this.#consumers.has(consumer)) this.#watch.add(consumer);
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

  async take(queue: QueueSpec): Promise<WireDelivery | undefined> {
    if (this.#over) throw ended();
    return this.#taking.take(brokerQueue(queue));
  }

  async counts(queue: QueueSpec): Promise<QueueCounts> {
    if (this.#over) throw ended();
    return this.#taking.counts(brokerQueue(queue));
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #renewCredentials(onRenewed: Told["onRenewed"]): CredentialRenewal | undefined {
    const { options, credentials: current, rules, publishing, consuming } = this.#parts;
    const { credentials: source, connectTimeoutMs: timeoutMs } = options;
    if (source === undefined || current?.expiresInMs === undefined) return undefined;
    if (!rules.renewedCredentials) {
      const warning = `RabbitMQ ${rules.version} renews no credentials on a live connection (3.8 does): expiresInMs means nothing`;
      // Not before whoever connects has the connection.
      queueMicrotask(() => onRenewed?.(undefined, warning));
      return undefined;
    }
    return new CredentialRenewal({
      source,
      current,
      links: [publishing, consuming],
      timeoutMs,
      onRenewed: (error, warning) => onRenewed?.(error, warning),
      onDead: (error) => this.#lose(error),
    });
  }

  #toQueue(to: Address & { readonly kind: "queue" }, message: WireMessage): Promise<void> {
    let queue: BrokerQueue;
    try {
      queue = brokerQueue(to.queue, to.lane);
    } catch (error) {
      return Promise.reject(error);
    }
    const delayMs = message.delayMs ?? 0;
    const options = toPublishOptions(message, delayMs > 0 ? "delayed" : "directly");
    return this.#publisher.publish(queue, toBuffer(message.body), options, delayMs);
  }

  /** Channels first: what waits for room or a confirm would be lost with its link. */
  async #close(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#watch.stop();
    this.#renewal?.stop();
    const { publishing, consuming, options } = this.#parts;
    const endsAt = Date.now() + options.closeTimeoutMs;
    await settledWithin(options.closeTimeoutMs, () =>
      Promise.allSettled([
        ...[...this.#consumers].map((consumer) => consumer.close()),
        this.#taking.close(),
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
    this.#watch.stop();
    this.#renewal?.stop();
    this.#parts.publishing.destroy();
    this.#parts.consuming.destroy();
    this.#onLost(error);
  }
}

function ended(): MessagingError {
  return new MessagingError("UNAVAILABLE", "the link to the broker is lost or closed");
}
