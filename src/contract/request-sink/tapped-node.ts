import type {
  Address,
  ConnectOptions,
  Driver,
  DriverConnection,
  DriverInbox,
  WireMessage,
} from "../../driver/index.js";
import { MessagingError } from "../../index.js";
import type { ContractContext, ContractNode } from "../context.js";
import type { Collector } from "../probe.js";

export interface Tap {
  /** What is published in place of a message that this node publishes. */
  readonly onPublish?: ((message: WireMessage, to: Address) => readonly WireMessage[]) | undefined;
  /** Is waited for before a publish resolves. */
  readonly onConfirm?: ((message: WireMessage, to: Address) => Promise<void>) | undefined;
  /** What arrives in place of a frame that comes to an inbox of this node. */
  readonly onInbox?: ((message: WireMessage) => readonly WireMessage[]) | undefined;
  /** The same for broadcasts. */
  readonly onBroadcast?: ((message: WireMessage) => readonly WireMessage[]) | undefined;
}

export interface Published {
  readonly to: Address;
  readonly message: WireMessage;
}

/** A node whose frames can be seen and changed, and that can be cut off from the broker alone. */
export interface TappedNode extends ContractNode {
  /** What it published, before the tap changed it. */
  readonly published: Collector<Published>;
  /** What came to its inboxes, before the tap changed it. */
  readonly received: Collector<WireMessage>;
  /** How many inboxes it has opened so far. */
  readonly inboxes: number;
  loseInboxes(): Promise<void>;
  loseConnections(): Promise<void>;
  /** It loses its connections, and gets no others: as if its process had been killed, for all that others see. */
  die(): Promise<void>;
}

interface Resources {
  readonly connections: Map<DriverConnection, (error: unknown) => void>;
  readonly inboxes: Map<DriverInbox, (error: unknown) => void>;
  opened: number;
}

/** Ends each and then tells it, as a broker would. */
async function lose<T>(resources: Map<T, (error: unknown) => void>, end: (resource: T) => Promise<void>) {
  const all = [...resources];
  resources.clear();
  for (const [resource, onLost] of all) {
    await end(resource);
    onLost(new MessagingError("UNAVAILABLE", "cut off by the contract suite"));
  }
}

export function tappedNode(context: ContractContext, tap: Tap = {}): TappedNode {
  const describe = ({ type, correlationId }: WireMessage) => `${type ?? "?"} of ${correlationId?.slice(0, 8) ?? "?"}`;
  const published = context.collector<Published>("published", ({ message }) => describe(message));
  const received = context.collector<WireMessage>("received", describe);
  let isDead = false;
  const resources: Resources = { connections: new Map(), inboxes: new Map(), opened: 0 };

  const tapConnection = (real: DriverConnection, lost: Promise<never>): DriverConnection => ({
    async publish(to, message) {
      published.add({ to, message });
      for (const instead of tap.onPublish?.(message, to) ?? [message]) await real.publish(to, instead);
      if (tap.onConfirm !== undefined) await Promise.race([tap.onConfirm(message, to), lost]);
    },
    consume: (queue, options, onDelivery, onLost) => real.consume(queue, options, onDelivery, onLost),
    subscribe: (broadcast, node, onMessage, onLost) => {
      const changed = (message: WireMessage): void => {
        for (const instead of tap.onBroadcast?.(message) ?? [message]) onMessage(instead);
      };
      return real.subscribe(broadcast, node, changed, onLost);
    },
    async openInbox(onMessage, onLost) {
      const changed = (message: WireMessage): void => {
        received.add(message);
        for (const instead of tap.onInbox?.(message) ?? [message]) onMessage(instead);
      };
      const inbox = await real.openInbox(changed, onLost);
      resources.opened += 1;
      resources.inboxes.set(inbox, onLost);
      return inbox;
    },
    close: () => real.close(),
  });

  const real = context.driver();
  const driver: Driver = {
    name: real.name,
    capabilities: real.capabilities,
    toMessagingError: (error) => real.toMessagingError(error),
    async connect(options: ConnectOptions) {
      if (isDead) throw new MessagingError("UNAVAILABLE", "kept off by the contract suite");
      const connection = await real.connect(options);
      let cut: (error: unknown) => void = () => {};
      const lost = new Promise<never>((_, reject) => {
        cut = reject;
      });
      lost.catch(() => undefined);
      resources.connections.set(connection, (error) => {
        cut(error);
        options.onLost(error);
      });
      return tapConnection(connection, lost);
    },
  };
  const loseConnections = async (): Promise<void> => {
    resources.inboxes.clear();
    await lose(resources.connections, (connection) => connection.close());
  };
  return {
    ...context.nodeOver(driver),
    published,
    received,
    get inboxes() {
      return resources.opened;
    },
    loseInboxes: () => lose(resources.inboxes, (inbox) => inbox.stop()),
    loseConnections,
    die() {
      isDead = true;
      return loseConnections();
    },
  };
}
