import type { PlantedBug } from "./planted-bug.js";

/** What is planted in credit, and in the order of what is sent. */
export const flowBugs: readonly PlantedBug[] = [
  {
    name: "relative-credit",
    what: "a server takes each Credit for permission to send half a window more, not up to a number",
    patches: [
      {
        file: "src/core/request/sent-responses.ts",
        find: "this.#grantedUpTo = Math.max(this.#grantedUpTo, Math.min(grantedUpTo, this.#consumed + MAX_WINDOW));",
        replace: "this.#grantedUpTo += Math.max(1, Math.ceil((grantedUpTo - consumed) / 2));",
      },
    ],
    breaks: ["S-02", "S-04", "S-07"],
    seed: 1,
  },
  {
    name: "lost-credit-not-repeated",
    what: "a client does not answer a blocked call in an Alive with its credit",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "    else if (isBlocked) this.#calls.controls.credit(this);\n",
        replace: "",
      },
    ],
    breaks: ["S-02", "S-07"],
    seed: 5,
  },
  {
    name: "end-overtakes",
    what: "the End does not wait for the responses that wait for credit",
    patches: [
      {
        file: "src/core/request/server-call.ts",
        find: "this.#isOver || this.#gate.held > 0) return;",
        replace: "this.#isOver) return;",
      },
    ],
    breaks: ["S-03"],
    seed: 2,
  },
  {
    name: "sent-again-taken-twice",
    what: "a client does not drop the responses that it has",
    patches: [
      {
        file: "src/core/request/incoming-responses.ts",
        find: "if (sequence <= this.#completed) return false;",
        replace: "if (sequence <= this.#completed) return this.#completed > 0;",
      },
    ],
    breaks: ["S-02", "S-03", "S-06", "S-13"],
    seed: 6,
  },
];
