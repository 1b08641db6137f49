import type { WireMessage } from "../../../src/driver/index.js";
import type { FullyTestedDriver } from "../broken-driver.js";

/** What is published, and to whom it goes. */
export const brokenPublishes: readonly FullyTestedDriver[] = [
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
    caughtBy: ["Q-94", "C-16", "C-20", "C-25", "C-29", "C-90", "D-01", "D-31", "D-34", "D-35"],
    atTimesBy: ["Q-86", "Q-87", "Q-88", "Q-92", "Q-126", "Q-128", "C-22", "C-24", "C-92", "D-56"],
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
    name: "drops frames that come back",
    sabotage: { connectOptions: (options) => ({ ...options, onReturned: () => {} }) },
    caughtBy: ["D-24", "D-25"],
  },
];
