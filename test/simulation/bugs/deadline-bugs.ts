import type { PlantedBug } from "./planted-bug.js";

/** What is planted in deadlines. */
export const deadlineBugs: readonly PlantedBug[] = [
  {
    name: "late-deadline-at-the-client",
    what: "a caller is told of its time-out 30 s late",
    patches: [
      {
        file: "src/core/request/caller-context.ts",
        find: "new Deadline(timers, options.timeoutMs, this)",
        replace: "new Deadline(timers, options.timeoutMs + 30_000, this)",
      },
    ],
    breaks: ["S-11"],
    seed: 2,
  },
  {
    name: "late-deadline-at-the-server",
    what: "a handler is told of its time-out 30 s late",
    patches: [
      {
        file: "src/core/request/server-call.ts",
        find: "new Deadline(clock, request.timeoutMs, this)",
        replace: "new Deadline(clock, request.timeoutMs + 30_000, this)",
      },
    ],
    breaks: ["S-14"],
    seed: 10,
  },
  {
    name: "early-deadline",
    what: "a response does not move the deadline",
    patches: [
      {
        file: "src/core/request/caller-context.ts",
        find: "if (this.allowKeepAlive) this.#deadline.extend(this.#respondExtendsMs);",
        replace: "",
      },
    ],
    breaks: ["S-11"],
    seed: 3,
  },
  {
    name: "endless-stall",
    what: "a deadline that stands still stands still for ever",
    patches: [
      {
        file: "src/core/request/deadline.ts",
        find: "this.#heldUntil = now + ms;",
        replace: "this.#heldUntil = now + ms * 1_000;",
      },
    ],
    breaks: ["S-09", "S-11", "S-14"],
    seed: 4,
  },
  {
    name: "stall-counted-anew",
    what: "at the server each Credit begins the stall anew, also one with which nothing was taken",
    patches: [
      {
        file: "src/core/request/server-call.ts",
        find: "if (isNews && this.#deadline.isHeld)",
        replace: "if (this.#deadline.isHeld)",
      },
    ],
    breaks: ["S-14"],
    seed: 10,
  },
];
