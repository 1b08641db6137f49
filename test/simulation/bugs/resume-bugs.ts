import type { PlantedBug } from "./planted-bug.js";

/** What is planted in Resume, and in what is kept for it. */
export const resumeBugs: readonly PlantedBug[] = [
  {
    name: "lost-inbox-not-told",
    what: "calls whose inbox is lost are not told",
    patches: [
      {
        file: "src/core/request/client-calls.ts",
        find: "if (call.life === life) call.onInboxLost(error);",
        replace: "if (call.life === life && this.#isClosed) call.onInboxLost(error);",
      },
    ],
    breaks: ["S-13", "S-15"],
    seed: 2,
  },
  {
    name: "gap-in-alive-overlooked",
    what: "a client does not see from an Alive that a response was lost",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "if (sequence > this.#responses.completed) this",
        replace: "if (sequence < 0) this",
      },
    ],
    breaks: ["S-15"],
    seed: 39,
  },
  {
    name: "resume-not-repeated",
    what: "a Resume that is not answered is not sent again",
    patches: [
      {
        file: "src/core/request/resumption.ts",
        find: "calls.timers.set(this, calls.timers.now() + Math.max(1, (watch.intervalMs ?? INTERVAL_MS) / 2));",
        replace: "",
      },
    ],
    breaks: ["S-15"],
    seed: 3,
  },
  {
    name: "retention-freed-at-send",
    what: "a server keeps no response that was sent",
    patches: [
      {
        file: "src/core/request/sent-responses.ts",
        find: "if (this.#budget === undefined) {\n      this.#untaken",
        replace: "if (body !== undefined) {\n      this.#untaken",
      },
    ],
    breaks: ["S-02"],
    seed: 4,
  },
  {
    name: "end-not-retained",
    what: "a server does not keep the ends of calls",
    patches: [
      {
        file: "src/core/request/retention.ts",
        find: "    this.#ended.set(id, call);\n",
        replace: "    call.frames.sent.clear();\n",
      },
    ],
    breaks: ["S-02", "S-07"],
    seed: 108,
  },
  {
    name: "life-watched-without-inbox",
    what: "a client misses its server while it has no inbox",
    patches: [
      {
        file: "src/core/request/resumption.ts",
        find: "    watch.cancel();\n",
        replace: "",
      },
    ],
    breaks: ["S-02", "S-12"],
    seed: 70,
  },
  {
    name: "endless-gap",
    what: "a client asks for what is missing again and again, though the server does not have it",
    patches: [
      {
        file: "src/core/request/resumption.ts",
        find: "if (this.#gapAt === responses.completed || call.life === undefined) return false;",
        replace: "if (call.life === undefined) return false;",
      },
    ],
    breaks: ["S-13", "S-15"],
    seed: 52,
  },
  {
    name: "retention-unbounded",
    what: "a server keeps more than it may",
    patches: [
      {
        file: "src/core/request/retention.ts",
        find: "if (this.#responseBytes === 0 || this.bytes <= maxBytes) return;",
        replace: "if (maxBytes > 0) return;",
      },
    ],
    breaks: ["S-17"],
    seed: 2,
  },
  {
    name: "counter-ignored-by-client",
    what: "a client takes frames that were sent before its last Resume was heard",
    patches: [
      {
        file: "src/core/request/resumption.ts",
        find: "if (number !== this.#number) return false;",
        replace: "if (number > this.#number) return false;",
      },
    ],
    breaks: ["S-02", "S-13", "S-15"],
    seed: 52,
  },
  {
    name: "counter-ignored-by-server",
    what: "a server heeds a Resume that comes after a later one",
    patches: [
      {
        file: "src/core/request/response-frames.ts",
        find: "    if (number < this.#headers.resume) return;\n",
        replace: "",
      },
    ],
    breaks: ["S-16"],
    seed: 4,
  },
  {
    name: "old-inbox-counts",
    what: "a frame that comes back from an inbox that its caller has left counts for the present one",
    patches: [
      {
        file: "src/core/request/response-frames.ts",
        find: "return this.#headers.isPresent(headers) ? this",
        replace: "return this.#headers !== undefined ? this",
      },
    ],
    breaks: ["S-02"],
    seed: 82,
  },
  {
    name: "ends-kept-for-ever",
    what: "a server keeps an end until its caller has said that it has come, however long that takes",
    patches: [
      {
        file: "src/core/request/retention.ts",
        find: "    if (this.index < 0) clock.set(this, call.endedAt + resumeMs);\n",
        replace: "",
      },
    ],
    breaks: ["S-09"],
    seed: 28,
  },
  {
    name: "refused-by-a-dying-link",
    what: "a response that is refused because the link is about to be lost ends its call",
    patches: [
      {
        file: "src/core/request/server-replies.ts",
        find: "clock.setTimer(LOSS_MS, () => {",
        replace: "clock.setTimer(10, () => {",
      },
    ],
    breaks: ["S-02"],
    seed: 407,
  },
];
