import {
  type Address,
  consumeAllLanes,
  DEAD_REASON_HEADER,
  type DriverConnection,
  type DriverConsumer,
  RESERVED_PREFIX,
  type WireDelivery,
  type WireMessage,
} from "../../src/driver/index.js";
import type { Priority } from "../../src/index.js";
import { changed, type Sabotage } from "./broken-driver.js";

export interface BrokenDriver {
  readonly name: string;
  readonly sabotage: Sabotage;
  /** The ids that must fail, and no others. */
  readonly caughtBy: readonly string[];
  /** Ids that fail too when a fault happens to hit just then. */
  readonly atTimesBy?: readonly string[];
  /** The letters of the families that it is put to. Default: those that speak of drivers. */
  readonly families?: string;
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
    caughtBy: ["Q-13", "Q-24", "D-03", "D-41"],
  },
  {
    name: "acknowledges what is released",
    sabotage: deliveries((delivery) =>
      changed(delivery, { settle: (settlement) => delivery.settle(settlement === "release" ? "ack" : settlement) }),
    ),
    caughtBy: ["Q-03", "Q-65", "Q-66", "Q-74", "Q-78", "Q-103", "C-15", "D-05", "D-16", "D-43"],
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
    caughtBy: ["D-17", "D-18", "D-44"],
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
        consume: (queue, { lane, prefetch }, onDelivery, onLost) =>
          real.consume(queue, { lane, prefetch: prefetch === 0 ? 0 : 1_000 }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-23", "Q-96", "D-10", "D-11", "D-38", "D-39", "D-40", "D-41", "D-46"],
    atTimesBy: ["D-42"],
  },
  {
    name: "never takes up again what its prefetch was lowered by",
    sabotage: {
      connection: (real) => ({
        consume: async (queue, options, onDelivery, onLost) => {
          const consumer = await real.consume(queue, options, onDelivery, onLost);
          let last = options.prefetch;
          let isLowered = false;
          return {
            stop: () => consumer.stop(),
            setPrefetch: async (prefetch) => {
              isLowered ||= prefetch < last;
              last = isLowered ? Math.min(last, prefetch) : prefetch;
              await consumer.setPrefetch(last);
            },
          };
        },
      }),
    },
    caughtBy: ["Q-66", "Q-102", "D-13", "D-40", "D-46"],
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
    caughtBy: ["Q-32", "Q-37", "Q-38", "Q-44", "Q-45", "D-04", "D-43"],
  },
  {
    name: "gives a message a new messageId on a release",
    sabotage: deliveries((delivery) =>
      delivery.redelivered && !delivery.message.messageId.includes("again")
        ? changed(delivery, { message: { ...delivery.message, messageId: `${delivery.message.messageId} again` } })
        : delivery,
    ),
    caughtBy: ["Q-74", "Q-82", "D-05", "D-43"],
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
      "Q-110",
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
    caughtBy: ["D-15", "D-39", "D-42", "D-46"],
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
    name: "ignores the lane",
    sabotage: {
      connection: (real) => ({
        publish: (to, message) =>
          real.publish(to.kind === "queue" && to.queue.lanes ? { kind: "queue", queue: to.queue } : to, message),
        consume: (queue, { prefetch }, onDelivery, onLost) =>
          real.consume(queue, { prefetch, lane: queue.lanes ? "standard" : undefined }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-99", "Q-100", "Q-102", "D-37", "D-38", "D-39", "D-40", "D-41", "D-43", "D-44", "D-45"],
  },
  {
    name: "takes from all lanes whatever lane is asked for",
    sabotage: {
      connection: (real) => ({
        consume: (queue, { prefetch }, onDelivery, onLost) => real.consume(queue, { prefetch }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-99", "Q-100", "Q-102", "D-37", "D-38", "D-39", "D-40", "D-41", "D-43", "D-44", "D-45"],
  },
  {
    name: "lets a full lane hold up the others",
    sabotage: {
      connection: (real) => {
        const queued: (() => void)[] = [];
        let full = 0;
        const handOut = (): void => {
          while (full === 0 && queued.length > 0) queued.shift()?.();
        };
        return {
          consume: (queue, options, onDelivery, onLost) => {
            let out = 0;
            const count = (change: number): void => {
              const was = out >= options.prefetch;
              out += change;
              full += Number(out >= options.prefetch) - Number(was);
            };
            const waits = (delivery: WireDelivery): void => {
              const settle: WireDelivery["settle"] = (settlement) => {
                count(-1);
                handOut();
                return delivery.settle(settlement);
              };
              queued.push(() => {
                count(1);
                onDelivery(changed(delivery, { settle }));
              });
              handOut();
            };
            return real.consume(queue, options, queue.lanes ? waits : onDelivery, onLost);
          },
        };
      },
    },
    caughtBy: ["Q-100", "D-38", "D-39", "D-40"],
  },
  {
    name: "never lets anything expire in a lane",
    sabotage: {
      connection: (real) => ({
        publish: (to, message) =>
          real.publish(to, to.kind === "queue" && to.queue.lanes ? { ...message, expiresInMs: undefined } : message),
      }),
    },
    caughtBy: ["Q-104", "D-42"],
  },
  {
    name: "takes the standard lane for the queue of the same name",
    sabotage: {
      connection: (real) => {
        const consume: DriverConnection["consume"] = (queue, { prefetch, lane }, onDelivery, onLost) => {
          if (queue.lanes && lane === undefined) {
            const consumeLane = (one: Priority, onLoss: (error: unknown) => void): Promise<DriverConsumer> =>
              consume(queue, { prefetch, lane: one }, onDelivery, onLoss);
            return consumeAllLanes(consumeLane, onLost);
          }
          return lane === "standard"
            ? real.consume({ ...queue, lanes: false }, { prefetch }, onDelivery, onLost)
            : real.consume(queue, { prefetch, lane }, onDelivery, onLost);
        };
        return { publish: (to, message) => real.publish(withoutStandardLane(to), message), consume };
      },
    },
    caughtBy: ["Q-109", "D-45"],
  },
  {
    name: "hands over a vendor's error as it is",
    sabotage: { driver: () => ({ toMessagingError: (error) => error as never }) },
    caughtBy: ["D-33"],
  },
];

function withoutStandardLane(to: Address): Address {
  if (to.kind !== "queue" || !to.queue.lanes || (to.lane ?? "standard") !== "standard") return to;
  return { kind: "queue", queue: { ...to.queue, lanes: false } };
}

function onlyReserved(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(RESERVED_PREFIX)));
}
