import type { WireDelivery } from "../../../src/driver/index.js";
import { changed, type FullyTestedDriver } from "../broken-driver.js";

/** What consumers are given. */
export const brokenConsumers: readonly FullyTestedDriver[] = [
  {
    name: "ignores the prefetch",
    sabotage: {
      connection: (real) => ({
        consume: (queue, { lane, prefetch }, onDelivery, onLost) =>
          real.consume(queue, { lane, prefetch: prefetch === 0 ? 0 : 1_000 }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-23", "Q-96", "Q-116", "Q-141", "D-10", "D-11", "D-38", "D-39", "D-40", "D-41", "D-46"],
    atTimesBy: ["D-42", "Q-125"],
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
];
