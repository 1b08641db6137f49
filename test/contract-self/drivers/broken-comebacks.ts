import { type BrokenDriver, changed } from "../broken-driver.js";
import {
  doubling,
  flapping,
  impatiently,
  lateLosses,
  leakingSockets,
  silent,
  unanswered,
} from "./comeback-sabotage.js";

/** What becomes of a driver when its links are lost, silent or blocked. */
export const brokenComebacks: readonly BrokenDriver[] = [
  {
    name: "never tells that the connection is lost",
    sabotage: { connectOptions: (options) => ({ ...options, onLost: () => {} }) },
    caughtBy: ["C-23", "C-24", "C-91", "C-92", "Q-141", "Q-142", "Q-143", "B-22", "R-260", "R-261", "D-56", "D-59"],
  },
  {
    name: "takes a short silence for a lost link",
    sabotage: {
      connection: (real, options) => ({
        publish: (to, message) =>
          impatiently(real.publish(to, message), () => {
            void real.close();
            options.onLost(silent());
            throw silent();
          }),
      }),
    },
    caughtBy: ["C-27", "B-23", "R-262"],
  },
  {
    name: "gives a settlement up that takes a moment",
    sabotage: {
      connection: (real) => ({
        consume: (queue, options, onDelivery, onLost) =>
          real.consume(
            queue,
            options,
            (delivery) =>
              onDelivery(
                changed(delivery, { settle: (settlement) => impatiently(delivery.settle(settlement), () => false) }),
              ),
            onLost,
          ),
      }),
    },
    caughtBy: ["Q-144"],
  },
  {
    name: "says of every tenth settlement that it has reached the broker, and keeps it",
    sabotage: {
      connection: (real) => {
        let settlements = 0;
        return {
          consume: (queue, options, onDelivery, onLost) =>
            real.consume(
              queue,
              { ...options, prefetch: options.prefetch * 10 },
              (delivery) =>
                onDelivery(
                  changed(delivery, {
                    settle: async (settlement) => {
                      settlements += 1;
                      return settlements % 10 === 0 || delivery.settle(settlement);
                    },
                  }),
                ),
              onLost,
            ),
        };
      },
    },
    caughtBy: ["Q-142"],
  },
  {
    name: "ignores the prefetch",
    sabotage: {
      connection: (real) => ({
        consume: (queue, options, onDelivery, onLost) =>
          real.consume(queue, { ...options, prefetch: 1_000 }, onDelivery, onLost),
      }),
    },
    caughtBy: ["Q-141"],
  },
  { name: "passes broadcasts on twice after two losses", sabotage: doubling(), caughtBy: ["B-22"] },
  { name: "loses a link that has just been healed", sabotage: flapping(), caughtBy: ["C-23"] },
  { name: "keeps a socket for each lost link", sabotage: leakingSockets(), caughtBy: ["C-92"] },
  {
    name: "does not answer a subscribe that the loss overtakes",
    sabotage: unanswered("subscribe"),
    caughtBy: ["D-56", "D-57"],
  },
  {
    name: "does not answer an inbox that the loss overtakes",
    sabotage: unanswered("openInbox"),
    caughtBy: ["D-56", "D-57", "D-58"],
  },
  {
    name: "resolves publishes that the broker has not taken",
    sabotage: {
      connection: (real) => ({
        publish(to, message) {
          const publishing = real.publish(to, message);
          if (to.kind !== "queue") return publishing;
          publishing.catch(() => undefined);
          return Promise.resolve();
        },
      }),
    },
    caughtBy: ["C-29", "C-90"],
  },
  {
    name: "tells the loss of a connection that is being closed",
    sabotage: {
      connection: (real, options) => ({
        async close() {
          await real.close();
          options.onLost(silent());
        },
      }),
    },
    caughtBy: ["D-56", "D-57", "D-58"],
  },
  {
    name: "closes once all publishes are confirmed, however long that takes",
    sabotage: {
      connection(real) {
        const publishing = new Set<Promise<void>>();
        return {
          publish(to, message) {
            const one = real.publish(to, message);
            publishing.add(one);
            const over = (): void => void publishing.delete(one);
            one.then(over, over);
            return one;
          },
          async close() {
            await Promise.allSettled(publishing);
            await real.close();
          },
        };
      },
    },
    caughtBy: ["D-58"],
  },
  { name: "tells a loss once it is left alone", sabotage: lateLosses(), caughtBy: ["D-59"] },
  {
    name: "loses every second request while links are being lost",
    sabotage: {
      connection: (real) => {
        let requests = 0;
        return {
          async publish(to, message) {
            if (to.kind === "queue" && to.queue.lanes) {
              requests += 1;
              if (requests % 2 === 0) return;
            }
            await real.publish(to, message);
          },
        };
      },
    },
    caughtBy: ["R-262", "R-265"],
  },
  {
    name: "answers no request that comes while it is silent or blocked",
    sabotage: {
      connection: (real) => ({
        async publish(to, message) {
          let isTaken = false;
          const publishing = real.publish(to, message).then(() => {
            isTaken = true;
          });
          await impatiently(publishing, () => undefined);
          // And never takes anything again.
          if (!isTaken) await new Promise(() => {});
        },
      }),
    },
    caughtBy: ["C-27"],
  },
];
