import { DEAD_REASON_HEADER, RESERVED_PREFIX, type WireDelivery } from "../../../src/driver/index.js";
import { changed, type FullyTestedDriver, type Sabotage } from "../broken-driver.js";

/** Changes each delivery of each consumer. */
function deliveries(change: (delivery: WireDelivery) => WireDelivery): Sabotage {
  return {
    connection: (real) => ({
      consume: (queue, options, onDelivery, onLost) =>
        real.consume(queue, options, (delivery) => onDelivery(change(delivery)), onLost),
    }),
  };
}

/** How deliveries are handed out and settled. */
export const brokenSettlements: readonly FullyTestedDriver[] = [
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
    caughtBy: ["Q-03", "Q-65", "Q-66", "Q-74", "Q-78", "Q-103", "C-15", "D-05", "D-16", "D-43", "D-55"],
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
    caughtBy: ["Q-32", "Q-37", "Q-38", "Q-44", "Q-45", "Q-123", "D-04", "D-43"],
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
    caughtBy: ["Q-44", "Q-45", "Q-47", "Q-48", "Q-49", "Q-50", "Q-52", "Q-85", "Q-115", "D-06"],
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
];

function onlyReserved(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(RESERVED_PREFIX)));
}
