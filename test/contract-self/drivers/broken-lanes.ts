import {
  type Address,
  consumeAllLanes,
  type DriverConnection,
  type DriverConsumer,
  type WireDelivery,
} from "../../../src/driver/index.js";
import type { Priority } from "../../../src/index.js";
import { changed, type FullyTestedDriver } from "../broken-driver.js";

/** Queues with lanes. */
export const brokenLanes: readonly FullyTestedDriver[] = [
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
];

function withoutStandardLane(to: Address): Address {
  if (to.kind !== "queue" || !to.queue.lanes || (to.lane ?? "standard") !== "standard") return to;
  return { kind: "queue", queue: { ...to.queue, lanes: false } };
}
