import type { PlantedBug } from "./planted-bug.js";

/** What is planted in the names and the lives of calls. */
export const callBugs: readonly PlantedBug[] = [
  {
    name: "no-de-duplication",
    what: "a server does not know a redelivered request that it still runs",
    patches: [
      {
        file: "src/core/request/request-server.ts",
        find: "if (running !== undefined) this.#adopt(running, { request, wire, life });",
        replace: "if (running !== undefined && !wire.redelivered) this.#adopt(running, { request, wire, life });",
      },
      {
        file: "src/core/request/request-server.ts",
        find: "if (running !== undefined) {",
        replace: "if (running !== undefined && !wire.redelivered) {",
      },
    ],
    breaks: ["S-02", "S-03", "S-05", "S-08", "S-09"],
    seed: 8,
  },
  {
    name: "reply-before-registration",
    what: "a client registers a call when its request was confirmed, not before it is published",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "if (this.request.isOneWay) this.#finish(undefined);",
        replace: "this.isRegistered = true;\n    if (this.request.isOneWay) this.#finish(undefined);",
      },
      {
        file: "src/core/request/remote-call.ts",
        find: "  onFrame(frame: WireMessage): void {",
        replace: "  onFrame(frame: WireMessage): void {\n    if (!this.isRegistered) return;",
      },
    ],
    breaks: ["S-02", "S-03", "S-13"],
    seed: 184,
  },
  {
    name: "leaked-slot",
    what: "a call that is aborted or times out keeps its slot",
    patches: [
      {
        file: "src/core/request/request-server.ts",
        find: "this.#flow.release(request.priority, (after) => {",
        replace:
          "if (isForced) {\n      if (place !== undefined) this.#places.settle(place);\n    } else this.#flow.release(request.priority, (after) => {",
      },
    ],
    breaks: ["S-02", "S-07", "S-09"],
    seed: 16,
  },
  {
    name: "signal-sent-again",
    what: "a request that was not confirmed when the link was lost is sent again",
    patches: [
      {
        file: "src/core/request/outgoing-request.ts",
        find: "timeoutMs: boundMs, signal: undefined, resend: false }",
        replace: "timeoutMs, signal: undefined, resend: true }",
      },
      {
        file: "src/core/request/request-publishing.ts",
        find: "(error !== undefined || pending.sends === 0)",
        replace: "pending.sends < 0",
      },
    ],
    breaks: ["S-08"],
    seed: 653,
  },
  {
    name: "call-id-on-the-wire",
    what: "the caller's own name of a call is its name on the wire",
    patches: [
      {
        file: "src/core/request/remote-sink.ts",
        find: "id: this.#context.random.uuid(),",
        replace: "id: message.callId,",
      },
    ],
    breaks: ["S-02", "S-03", "S-04", "S-06"],
    seed: 6,
  },
  {
    name: "no-life-watch",
    what: "a client does not notice that a server has fallen silent",
    patches: [
      {
        file: "src/core/request/life-watch.ts",
        find: "this.#owner.onSilence();",
        replace: "return;",
      },
    ],
    breaks: ["S-12"],
    seed: 26,
  },
  {
    name: "idempotent-stays",
    what: "an idempotent call fails with its first server, though nobody has answered it",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "this.request.isIdempotent && this.#resumption?.hasMoved !== true) {",
        replace: "this.request.isIdempotent && this.#isOver) {",
      },
    ],
    breaks: ["S-02", "S-12"],
    seed: 294,
  },
  {
    name: "idempotent-refused",
    what: "a server refuses a request that was delivered again, also an idempotent one",
    patches: [
      {
        file: "src/core/request/request-server.ts",
        find: "else if (wire.redelivered && !request.isIdempotent) this.#places",
        replace: "else if (wire.redelivered) this.#places",
      },
    ],
    breaks: ["S-02"],
    seed: 103,
  },
];
