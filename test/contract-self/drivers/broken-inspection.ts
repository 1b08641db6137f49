import type { WireDelivery, WireSettlement } from "../../../src/driver/index.js";
import { changed, type FullyTestedDriver, type Sabotage } from "../broken-driver.js";

/** Changes each settlement of what operators have taken. */
function takings(settle: (delivery: WireDelivery, settlement: WireSettlement) => Promise<boolean>): Sabotage {
  return {
    connection: (real) => ({
      take: async (queue) => {
        const delivery = await real.take?.(queue);
        return delivery && changed(delivery, { settle: (settlement) => settle(delivery, settlement) });
      },
    }),
  };
}

/** What operators see and take. */
export const brokenInspection: readonly FullyTestedDriver[] = [
  {
    name: "loses what an operator only looks at",
    sabotage: takings((delivery, settlement) => delivery.settle(settlement === "release" ? "ack" : settlement)),
    caughtBy: ["Q-112", "Q-113", "Q-114", "Q-122", "Q-124", "Q-127", "Q-145", "D-48"],
  },
  {
    name: "keeps what an operator removes",
    sabotage: takings((delivery, settlement) => delivery.settle(settlement === "ack" ? "release" : settlement)),
    caughtBy: ["Q-122", "Q-123", "Q-124", "Q-125", "Q-126", "Q-127", "Q-128", "Q-145", "D-47", "D-48", "D-49"],
  },
  {
    name: "never gives back what an operator has taken",
    sabotage: takings(async (delivery, settlement) => (settlement === "release" ? true : delivery.settle(settlement))),
    caughtBy: ["Q-112", "Q-113", "Q-114", "Q-122", "Q-124", "Q-127", "Q-145", "D-48"],
  },
  {
    name: "makes a queue when an operator looks for it",
    sabotage: {
      connection: (real) => ({
        take: async (queue) => {
          await (
            await real.consume(
              queue,
              { prefetch: 0 },
              () => {},
              () => {},
            )
          ).stop();
          return real.take?.(queue);
        },
      }),
    },
    caughtBy: ["Q-117"],
  },
];
