import type {
  ConnectOptions,
  Driver,
  DriverConnection,
  DriverConsumer,
  DriverInbox,
  DriverResource,
  WireDelivery,
  WireMessage,
} from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { type Deferred, deferred } from "../../src/util/deferred.js";

const CAPABILITIES: Capabilities = {
  queue: {
    persistent: true,
    deadLetter: true,
    delayedDelivery: true,
    expiry: true,
    priority: true,
    deduplication: false,
    ordering: "until-requeue",
  },
  broadcast: { loopback: true },
  inspection: "none",
  maxMessageBytes: 1024,
};

/** One publish that waits for the test to confirm or to refuse it. */
export interface PendingPublish {
  readonly message: WireMessage;
  readonly outcome: Deferred<void>;
}

/** One consumer, through which the test delivers. */
export interface ScriptedConsumer {
  readonly prefetches: number[];
  stops: number;
  deliver(delivery: WireDelivery): void;
  lose(error: unknown): void;
}

/** One connect that waits for the test to let it in or to refuse it. */
export class ScriptedConnection implements DriverConnection {
  readonly options: ConnectOptions;
  readonly outcome = deferred<DriverConnection>();
  readonly publishes: PendingPublish[] = [];
  readonly consumers: ScriptedConsumer[] = [];
  readonly closing = deferred<void>();
  closeCalls = 0;
  /** What setting up a consumer waits for. */
  consumeGate: Promise<void> = Promise.resolve();
  readonly listeners: ((message: WireMessage) => void)[] = [];
  /** What the end of a subscription waits for. */
  stopGate: Promise<void> = Promise.resolve();
  /** What a change of prefetch waits for. */
  prefetchGate: Promise<void> = Promise.resolve();

  constructor(options: ConnectOptions) {
    this.options = options;
  }

  accept(): void {
    this.outcome.resolve(this);
  }

  refuse(error: unknown): void {
    this.outcome.reject(error);
  }

  /** Lost, as a driver must tell it: what is under way rejects, then `onLost`. */
  lose(): void {
    const error = new MessagingError("UNAVAILABLE", "lost");
    for (const { outcome } of this.publishes) outcome.reject(error);
    this.options.onLost(error);
  }

  publish(_to: unknown, message: WireMessage): Promise<void> {
    const outcome = deferred<void>();
    this.publishes.push({ message, outcome });
    return outcome.promise;
  }

  async consume(
    _queue: unknown,
    { prefetch }: { readonly prefetch: number },
    onDelivery: (delivery: WireDelivery) => void,
    onLost: (error: unknown) => void,
  ): Promise<DriverConsumer> {
    const consumer: ScriptedConsumer = { prefetches: [prefetch], stops: 0, deliver: onDelivery, lose: onLost };
    this.consumers.push(consumer);
    await this.consumeGate;
    return {
      stop: async () => {
        consumer.stops += 1;
      },
      setPrefetch: async (next) => {
        consumer.prefetches.push(next);
        await this.prefetchGate;
      },
    };
  }

  async subscribe(
    _broadcast: unknown,
    _node: unknown,
    onMessage: (message: WireMessage) => void,
  ): Promise<DriverResource> {
    this.listeners.push(onMessage);
    return { stop: () => this.stopGate };
  }

  async openInbox(): Promise<DriverInbox> {
    return { address: "inbox", stop: async () => {} };
  }

  close(): Promise<void> {
    this.closeCalls += 1;
    return this.closing.promise;
  }
}

/** A driver in which nothing happens that the test does not say: for the timing of core, which no real broker can hold still. */
export class ScriptedDriver implements Driver {
  readonly name = "scripted";
  readonly capabilities: Capabilities;
  readonly connects: ScriptedConnection[] = [];

  /** `queue`: capabilities that are other than the usual ones. */
  constructor(queue: Partial<Capabilities["queue"]> = {}) {
    this.capabilities = { ...CAPABILITIES, queue: { ...CAPABILITIES.queue, ...queue } };
  }

  connect(options: ConnectOptions): Promise<DriverConnection> {
    const connection = new ScriptedConnection(options);
    this.connects.push(connection);
    return connection.outcome.promise;
  }

  toMessagingError(error: unknown): MessagingError {
    return MessagingError.is(error) ? error : new MessagingError("UNKNOWN", String(error), { cause: error });
  }

  /** The newest connect. */
  get last(): ScriptedConnection {
    const last = this.connects.at(-1);
    if (last === undefined) throw new Error("nothing has connected");
    return last;
  }
}
