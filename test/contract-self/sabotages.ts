import type { WireDelivery, WireMessage } from "../../src/driver/index.js";
import { DEAD_REASON_HEADER, RESERVED_PREFIX } from "../../src/driver/index.js";
import { changed, type Sabotage } from "./broken-driver.js";

export interface BrokenDriver {
  readonly name: string;
  readonly sabotage: Sabotage;
  /** The ids that must fail, and no others. */
  readonly caughtBy: readonly string[];
  /** Ids that fail too when a fault happens to hit just then. */
  readonly atTimesBy?: readonly string[];
}

/** Changes each delivery of each consumer. */
function deliveries(change: (delivery: WireDelivery) => WireDelivery): Sabotage {
  return {
    connection: (real) => ({
      consume: (queue, options, onDelivery, onLost) =>
        real.consume(queue, options, (delivery) => onDelivery(change(delivery)), onLost),
    }),
  };
}

export const brokenDrivers: readonly BrokenDriver[] = [
  {
    name: "hands the 150th message of a consumer out twice",
    sabotage: {
      connection: (real) => ({
        consume: (queue, options, onDelivery, onLost) => {
          let count = 0;
          const twice = (delivery: WireDelivery): void => {
            onDelivery(delivery);
            count += 1;
            if (count === 150) onDelivery(changed(delivery, { settle: async () => true }));
          };
          return real.consume(queue, options, twice, onLost);
        },
      }),
    },
    caughtBy: ["Q-13", "Q-24", "D-03"],
  },
  {
    name: "acknowledges what is released",
    sabotage: deliveries((delivery) =>
      changed(delivery, { settle: (settlement) => delivery.settle(settlement === "release" ? "ack" : settlement) }),
    ),
    caughtBy: ["Q-03", "Q-65", "Q-66", "Q-74", "Q-78", "C-15", "D-05", "D-16"],
  },
  {
    name: "loses on close what was not settled",
    sabotage: {
      connection: (real) => {
        const out = new Set<WireDelivery>();
        return {
          consume: (queue, options, onDelivery, onLost) => {
            const noted = (delivery: WireDelivery): void => {
              out.add(delivery);
              const settle: WireDelivery["settle"] = (settlement) => {
                out.delete(delivery);
                return delivery.settle(settlement);
              };
              onDelivery(changed(delivery, { settle }));
            };
            return real.consume(queue, options, noted, onLost);
          },
          close: async () => {
            await Promise.all([...out].map((delivery) => delivery.settle("ack")));
            await real.close();
          },
        };
      },
    },
    caughtBy: ["D-17", "D-18"],
  },
  {
    name: "says that a settlement after the end reached the broker",
    sabotage: deliveries((delivery) =>
      changed(delivery, {
        settle: async (settlement) => {
          await delivery.settle(settlement);
          return true;
        },
      }),
    ),
    caughtBy: ["D-18", "D-20"],
  },
  {
    name: "resolves publish before the message is stored",
    sabotage: {
      connection: (real) => ({
        publish: async (to, message) => {
          if (to.kind !== "queue") return real.publish(to, message);
          setImmediate(() => {
            real.publish(to, message).catch(() => undefined);
          });
        },
      }),
    },
    caughtBy: ["Q-94", "C-16", "C-20", "D-01", "D-31", "D-34", "D-35"],
    atTimesBy: ["Q-86", "Q-87", "Q-88", "Q-92", "C-22"],
  },
  {
    name: "forgets the confirm of the 1,500th publish",
    sabotage: {
      connection: (real) => {
        let count = 0;
        return {
          publish: async (to, message) => {
            await real.publish(to, message);
            count += 1;
            if (count === 1_500) await new Promise(() => {});
          },
        };
      },
    },
    caughtBy: ["Q-13"],
  },
  {
    name: "ignores the prefetch",
    sabotage: {
      connection: (real) => ({
        consume: (queue, { prefetch }, onDelivery, onLost) =>
          real.consume(queue, { prefetch: prefetch === 0 ? 0 : 1_000 }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-23", "Q-96", "D-10", "D-11"],
  },
  {
    name: "loses the application's headers on a retry",
    sabotage: deliveries((delivery) =>
      changed(delivery, {
        settle: (settlement) =>
          delivery.settle(
            typeof settlement === "object" && "retryInMs" in settlement
              ? { retryInMs: settlement.retryInMs, headers: onlyReserved(settlement.headers) }
              : settlement,
          ),
      }),
    ),
    caughtBy: ["Q-32", "Q-37", "Q-38", "Q-44", "Q-45", "D-04"],
  },
  {
    name: "gives a message a new messageId on a release",
    sabotage: deliveries((delivery) =>
      delivery.redelivered && !delivery.message.messageId.includes("again")
        ? changed(delivery, { message: { ...delivery.message, messageId: `${delivery.message.messageId} again` } })
        : delivery,
    ),
    caughtBy: ["Q-74", "Q-82", "D-05"],
  },
  {
    name: "dead-letters without a reason",
    sabotage: deliveries((delivery) =>
      changed(delivery, {
        settle: (settlement) => {
          if (typeof settlement !== "object" || !("deadLetter" in settlement)) return delivery.settle(settlement);
          const { [DEAD_REASON_HEADER]: _, ...headers } = settlement.deadLetter;
          return delivery.settle({ deadLetter: headers });
        },
      }),
    ),
    caughtBy: ["Q-44", "Q-45", "Q-47", "Q-48", "Q-49", "Q-50", "Q-52", "Q-85", "D-06"],
  },
  {
    name: "sends to all what a broadcast addresses to a node",
    sabotage: {
      connection: (real) => ({
        publish: (to, message) =>
          real.publish(to.kind === "broadcast" ? { kind: "broadcast", name: to.name } : to, message),
      }),
    },
    caughtBy: ["B-02", "B-03", "D-27"],
  },
  {
    name: "ignores delays",
    sabotage: {
      connection: (real) => ({
        publish: (to, message) => real.publish(to, { ...message, delayMs: undefined }),
        ...deliveries((delivery) =>
          changed(delivery, {
            settle: (settlement) =>
              delivery.settle(
                typeof settlement === "object" && "retryInMs" in settlement
                  ? { ...settlement, retryInMs: 0 }
                  : settlement,
              ),
          }),
        ).connection?.(real, undefined as never),
      }),
    },
    caughtBy: ["Q-38", "Q-39", "Q-56", "Q-57", "Q-62", "D-04", "D-09"],
  },
  {
    name: "swaps frames in an inbox",
    sabotage: {
      connection: (real) => ({
        openInbox: (onMessage, onLost) => {
          let held: WireMessage | undefined;
          const swapped = (message: WireMessage): void => {
            // Every tenth waits for the one after it.
            if (held === undefined && message.type === "data" && message.correlationId?.endsWith("8") === true) {
              held = message;
              return;
            }
            onMessage(message);
            if (held !== undefined) onMessage(held);
            held = undefined;
          };
          return real.openInbox(swapped, onLost);
        },
      }),
    },
    caughtBy: ["D-22"],
  },
  {
    name: "never tells that the connection is lost",
    sabotage: { connectOptions: (options) => ({ ...options, onLost: () => {} }) },
    caughtBy: [
      "Q-82",
      "Q-83",
      "Q-84",
      "Q-85",
      "Q-86",
      "Q-87",
      "Q-88",
      "Q-89",
      "B-21",
      "C-10",
      "C-21",
      "C-22",
      "C-60",
      "C-61",
      "C-62",
      "C-63",
      "C-64",
      "C-65",
      "D-20",
      "D-31",
    ],
  },
  {
    name: "never tells that a consumer is lost",
    sabotage: {
      connection: (real) => ({
        consume: (queue, options, onDelivery) => real.consume(queue, options, onDelivery, () => {}),
      }),
    },
    caughtBy: ["Q-90", "Q-91", "D-21"],
  },
  {
    name: "delivers on after stop",
    sabotage: {
      connection: (real) => ({
        consume: async (queue, options, onDelivery, onLost) => {
          let last: WireDelivery | undefined;
          const noted = (delivery: WireDelivery): void => {
            last = delivery;
            onDelivery(delivery);
          };
          const consumer = await real.consume(queue, options, noted, onLost);
          return {
            setPrefetch: (prefetch) => consumer.setPrefetch(prefetch),
            stop: async () => {
              await consumer.stop();
              if (last !== undefined) onDelivery(changed(last, { settle: async () => true }));
            },
          };
        },
      }),
    },
    caughtBy: ["D-15"],
  },
  {
    name: "drops frames that come back",
    sabotage: { connectOptions: (options) => ({ ...options, onReturned: () => {} }) },
    caughtBy: ["D-24", "D-25"],
  },
  {
    name: "promises a strict order that it does not keep",
    sabotage: {
      driver: ({ capabilities }) => ({
        capabilities: Object.freeze({
          ...capabilities,
          queue: Object.freeze({ ...capabilities.queue, ordering: "strict" }),
        }),
      }),
    },
    caughtBy: ["Q-25"],
  },
  {
    name: "denies a loopback that it has",
    sabotage: {
      driver: ({ capabilities }) => ({
        capabilities: Object.freeze({ ...capabilities, broadcast: Object.freeze({ loopback: false }) }),
      }),
    },
    caughtBy: ["B-08"],
  },
  {
    name: "hands over a vendor's error as it is",
    sabotage: { driver: () => ({ toMessagingError: (error) => error as never }) },
    caughtBy: ["D-33"],
  },
];

function onlyReserved(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(RESERVED_PREFIX)));
}
