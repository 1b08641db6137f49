import { memoryBroker, memoryDriver } from "../../adapters/memory/index.js";
import type { AdapterHarness } from "../../src/contract/index.js";
import type {
  ConnectOptions,
  Driver,
  DriverConnection,
  WireDelivery,
  WireMessage,
  WireSettlement,
} from "../../src/driver/index.js";
import { createMessaging } from "../../src/index.js";

/** What is done differently from the memory driver, on purpose. */
export interface Sabotage {
  /** Replaces operations of each connection; `real` is the connection as it should be. */
  readonly connection?: (real: DriverConnection, options: ConnectOptions) => Partial<DriverConnection>;
  readonly connectOptions?: (options: ConnectOptions) => ConnectOptions;
  readonly driver?: (real: Driver) => Partial<Driver>;
}

/** The memory driver, broken. */
function brokenDriver(real: Driver, sabotage: Sabotage): Driver {
  return {
    name: real.name,
    capabilities: real.capabilities,
    toMessagingError: (error) => real.toMessagingError(error),
    async connect(given) {
      const options = sabotage.connectOptions?.(given) ?? given;
      const connection = bound(await real.connect(options));
      return { ...connection, ...sabotage.connection?.(connection, options) };
    },
    ...sabotage.driver?.(real),
  };
}

/** A harness with a broker of its own, so that cases can run side by side. Quick to lose patience. */
export function brokenHarness(name: string, sabotage: Sabotage, timeScale: number): AdapterHarness {
  const broker = memoryBroker();
  const createDriver = () => brokenDriver(memoryDriver({ broker }), sabotage);
  let names = 0;
  return {
    name,
    timeScale,
    capabilities: createDriver().capabilities,
    createDriver,
    createMessaging: async (options) => createMessaging({ ...options, driver: createDriver() }),
    async createUnreachable({ connectTimeoutMs }) {
      const refusing = memoryBroker();
      refusing.refuseConnections(true);
      return createMessaging({ driver: brokenDriver(memoryDriver({ broker: refusing }), sabotage), connectTimeoutMs });
    },
    uniqueName(purpose) {
      names += 1;
      return `${purpose} ${names}`;
    },
    faults: {
      dropConnections: async () => broker.dropConnections(),
      dropConsumers: async (queue) => broker.dropConsumers(queue),
      deleteQueue: async (queue) => broker.deleteQueue(queue),
      freezeBroker: async () => broker.freeze(),
      thawBroker: async () => broker.thaw(),
      blockPublishes: async () => broker.setBlocked(true),
      unblockPublishes: async () => broker.setBlocked(false),
    },
    cleanup: async () => {},
  };
}

/** A delivery that differs in its message or in how it is settled. */
export function changed(
  delivery: WireDelivery,
  changes: { readonly message?: WireMessage; readonly settle?: (settlement: WireSettlement) => Promise<boolean> },
): WireDelivery {
  return {
    message: changes.message ?? delivery.message,
    deliveries: delivery.deliveries,
    redelivered: delivery.redelivered,
    settle: changes.settle ?? ((settlement) => delivery.settle(settlement)),
  };
}

function bound(real: DriverConnection): DriverConnection {
  return {
    publish: (to, message) => real.publish(to, message),
    consume: (queue, options, onDelivery, onLost) => real.consume(queue, options, onDelivery, onLost),
    subscribe: (broadcast, node, onMessage, onLost) => real.subscribe(broadcast, node, onMessage, onLost),
    openInbox: (onMessage, onLost) => real.openInbox(onMessage, onLost),
    close: () => real.close(),
  };
}
