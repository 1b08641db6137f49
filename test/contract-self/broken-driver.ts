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
import { createMessaging, type Messaging } from "../../src/index.js";
import { memoryFaults } from "../adapters/memory/contract-harness.js";

/** What is done differently from the memory driver, on purpose. */
export interface Sabotage {
  /** Replaces operations of each connection; `real` is the connection as it should be. */
  readonly connection?: (real: DriverConnection, options: ConnectOptions) => Partial<DriverConnection>;
  readonly connectOptions?: (options: ConnectOptions) => ConnectOptions;
  readonly driver?: (real: Driver) => Partial<Driver>;
  /** What is made of the driver. */
  readonly messaging?: (real: Messaging) => Messaging;
}

export interface BrokenDriver {
  readonly name: string;
  readonly sabotage: Sabotage;
  /** Ids that must fail. Others may: what is wrong with a driver shows in many places. */
  readonly caughtBy: readonly string[];
}

/** One that is put to every case: the ids must fail, and no others. */
export interface FullyTestedDriver extends BrokenDriver {
  /** Ids that fail too when a fault happens to hit just then. */
  readonly atTimesBy?: readonly string[];
  /** The letters of the families that it is put to. Default: those that speak of drivers. */
  readonly families?: string;
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
    async createMessaging(options) {
      const messaging = createMessaging({ ...options, driver: createDriver() });
      return sabotage.messaging?.(messaging) ?? messaging;
    },
    async createUnreachable({ connectTimeoutMs }) {
      const refusing = memoryBroker();
      refusing.refuseConnections(true);
      return createMessaging({ driver: brokenDriver(memoryDriver({ broker: refusing }), sabotage), connectTimeoutMs });
    },
    uniqueName(purpose) {
      names += 1;
      return `${purpose} ${names}`;
    },
    faults: memoryFaults(broker),
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
    take: async (queue) => real.take?.(queue),
    counts: async (queue) => {
      if (real.counts === undefined) throw new Error("the driver has no counts");
      return real.counts(queue);
    },
    close: () => real.close(),
  };
}
