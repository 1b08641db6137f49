import type { Driver } from "../../driver/index.js";

/** A driver whose first node-addressed broadcasts reach nobody. */
export function forgetfulDriver(real: Driver, broadcasts: number): Driver {
  let left = broadcasts;
  return {
    name: real.name,
    capabilities: real.capabilities,
    toMessagingError: (error) => real.toMessagingError(error),
    async connect(options) {
      const connection = await real.connect(options);
      const take = connection.take?.bind(connection);
      const counts = connection.counts?.bind(connection);
      return {
        store: connection.store,
        ...(take === undefined ? {} : { take }),
        ...(counts === undefined ? {} : { counts }),
        publish: async (to, message) => {
          if (to.kind === "broadcast" && to.node !== undefined && left > 0) left -= 1;
          else await connection.publish(to, message);
        },
        consume: (queue, given, onDelivery, onLost) => connection.consume(queue, given, onDelivery, onLost),
        subscribe: (broadcast, node, onMessage, onLost) => connection.subscribe(broadcast, node, onMessage, onLost),
        openInbox: (onMessage, onLost) => connection.openInbox(onMessage, onLost),
        close: () => connection.close(),
      };
    },
  };
}
