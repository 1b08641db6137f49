import { type MemoryBroker, memoryDriver } from "../../../../adapters/memory/index.js";
import { createMessaging } from "../../../../src/core/messaging.js";
import { requestTables } from "../../../../src/core/request/tables.js";
import type { Address, Driver, DriverConnection, WireMessage } from "../../../../src/driver/index.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import type { Messaging } from "../../../../src/ports/messaging.js";

/** Whether a frame that this node publishes, or that comes to an inbox of it, is lost. */
export type Loses = (frame: WireMessage, to: Address | "inbox") => boolean;

export interface TappedMessaging {
  readonly messaging: Messaging;
  /** What it published, lost or not. */
  readonly published: WireMessage[];
  /** What came to its inboxes, lost or not. */
  readonly received: WireMessage[];
  loses: Loses;
  /** Until it resolves, nothing that is sent to an inbox makes room for more, though it arrives. */
  room: Promise<void>;
  /** While false, a new inbox or connection is refused. */
  isReachable: boolean;
  loseInboxes(): Promise<void>;
  loseConnections(): void;
  tables(): Readonly<Record<string, number>>;
}

const LOST = new MessagingError("UNAVAILABLE", "lost by the test");

/** A Messaging on a memory broker whose links, inboxes and frames can be lost. */
export function tappedMessaging(broker: MemoryBroker): TappedMessaging {
  const driver = memoryDriver({ broker });
  const links = new Map<DriverConnection, (error: unknown) => void>();
  const inboxes = new Set<() => Promise<void>>();

  const tap = (real: DriverConnection): DriverConnection => ({
    publish(to, frame) {
      node.published.push(frame);
      const { room } = node;
      const sent = node.loses(frame, to) ? Promise.resolve() : real.publish(to, frame);
      return to.kind === "inbox" ? sent.then(() => room) : sent;
    },
    consume: (queue, options, onDelivery, onLost) => real.consume(queue, options, onDelivery, onLost),
    subscribe: (name, nodeId, onMessage, onLost) => real.subscribe(name, nodeId, onMessage, onLost),
    async openInbox(onMessage, onLost) {
      if (!node.isReachable) throw LOST;
      const inbox = await real.openInbox((frame) => {
        node.received.push(frame);
        if (!node.loses(frame, "inbox")) onMessage(frame);
      }, onLost);
      const lose = async (): Promise<void> => {
        inboxes.delete(lose);
        await inbox.stop();
        onLost(LOST);
      };
      inboxes.add(lose);
      return inbox;
    },
    close: () => real.close(),
  });

  const tapped: Driver = {
    name: driver.name,
    capabilities: driver.capabilities,
    toMessagingError: (error) => driver.toMessagingError(error),
    async connect(options) {
      if (!node.isReachable) throw LOST;
      const real = await driver.connect(options);
      links.set(real, options.onLost);
      return tap(real);
    },
  };

  const messaging = createMessaging({ driver: tapped });
  const node: TappedMessaging = {
    messaging,
    published: [],
    received: [],
    loses: () => false,
    room: Promise.resolve(),
    isReachable: true,
    async loseInboxes() {
      for (const lose of [...inboxes]) await lose();
    },
    loseConnections() {
      inboxes.clear();
      for (const [link, onLost] of [...links]) {
        links.delete(link);
        void link.close();
        onLost(LOST);
      }
    },
    tables: () => requestTables(messaging),
  };
  return node;
}
