import type { ReplayOptions } from "../../../src/index.js";
import type { BrokenDriver, Sabotage } from "../broken-driver.js";
import { withChanges } from "../with-changes.js";

/** Each replay has other options than it was given. */
function replays(change: (options: ReplayOptions) => ReplayOptions): Sabotage {
  return {
    messaging(real) {
      const { inspection } = real;
      if (inspection === undefined) return real;
      const replay: typeof inspection.replay = (queue, options = {}) => inspection.replay(queue, change(options));
      return withChanges(real, { inspection: withChanges(inspection, { replay }) });
    },
  };
}

/** What may be moved where. */
export const brokenReplays: readonly BrokenDriver[] = [
  {
    name: "moves messages wherever they say",
    sabotage: replays(({ mayMoveTo: _, ...options }) => options),
    caughtBy: ["Q-145"],
  },
  {
    name: "asks only once for each queue whether messages may go there",
    sabotage: replays(({ mayMoveTo = () => true, ...options }) => {
      const answers = new Map<string, boolean>();
      return {
        ...options,
        mayMoveTo(queue) {
          const answer = answers.get(queue) ?? mayMoveTo(queue);
          answers.set(queue, answer);
          return answer;
        },
      };
    }),
    caughtBy: ["Q-145"],
  },
  {
    name: "goes on behind a message that may not be moved",
    sabotage: {
      messaging(real) {
        const { inspection } = real;
        if (inspection === undefined) return real;
        const replay: typeof inspection.replay = async (queue, options = {}) => {
          let refusal: unknown;
          let moved = 0;
          for (const { messageId } of await inspection.browse(queue)) {
            const one = inspection.replay(queue, { ...options, messageIds: [messageId] });
            moved += await one.catch((error: unknown) => {
              refusal ??= error;
              return 0;
            });
          }
          if (refusal !== undefined) throw refusal;
          return moved;
        };
        return withChanges(real, { inspection: withChanges(inspection, { replay }) });
      },
    },
    caughtBy: ["Q-145"],
  },
];
