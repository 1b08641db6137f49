import type { SourcePatch } from "./compiled-copy.js";

/** A bug that was made on purpose, so that it can be seen that the simulation finds such. */
export interface PlantedBug {
  readonly name: string;
  /** What is wrong then. */
  readonly what: string;
  readonly patches: readonly SourcePatch[];
  /** Invariants that it breaks; at least one of them must be what is found. */
  readonly breaks: readonly string[];
  /** A seed with which it is found. */
  readonly seed: number;
}

export const plantedBugs: readonly PlantedBug[] = [
  {
    name: "relative-credit",
    what: "a server takes each Credit for permission to send half a window more, not up to a number",
    patches: [
      {
        file: "src/core/request/server-call.ts",
        find: "this.#grantedUpTo = Math.max(this.#grantedUpTo, Math.min(grantedUpTo, this.#consumed + MAX_WINDOW));",
        replace: "this.#grantedUpTo += Math.max(1, Math.ceil(this.window / 2));",
      },
    ],
    breaks: ["S-02", "S-04", "S-07"],
    seed: 3,
  },
  {
    name: "no-de-duplication",
    what: "a server does not know a redelivered request that it still runs",
    patches: [
      {
        file: "src/core/request/request-server.ts",
        find: "if (running !== undefined) this.#adopt(running, request, { wire, life });",
        replace: "if (running !== undefined && !wire.redelivered) this.#adopt(running, request, { wire, life });",
      },
      {
        file: "src/core/request/request-server.ts",
        find: "if (running !== undefined) {",
        replace: "if (running !== undefined && !held.wire.redelivered) {",
      },
    ],
    breaks: ["S-02", "S-03", "S-05", "S-08", "S-09"],
    seed: 340,
  },
  {
    name: "lost-credit-not-repeated",
    what: "a client does not answer a blocked call in an Alive with its credit",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "} else if (isBlocked) this.#calls.controls.credit(this);",
        replace: "}",
      },
    ],
    breaks: ["S-02", "S-07"],
    seed: 9,
  },
  {
    name: "reply-before-registration",
    what: "a client registers a call when its request was confirmed, not before it is published",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "if (this.isOneWay) this.#finish(undefined);",
        replace: "this.isRegistered = true;\n        if (this.isOneWay) this.#finish(undefined);",
      },
      {
        file: "src/core/request/remote-call.ts",
        find: "  onFrame(frame: WireMessage): void {",
        replace: "  onFrame(frame: WireMessage): void {\n    if (!this.isRegistered) return;",
      },
    ],
    breaks: ["S-02", "S-03"],
    seed: 100,
  },
  {
    name: "end-overtakes",
    what: "the End does not wait for the responses that wait for credit",
    patches: [
      {
        file: "src/core/request/server-call.ts",
        find: "this.#isOver || this.#gate.held > 0 || this.#frames.isSending",
        replace: "this.#isOver || this.#frames.isSending",
      },
    ],
    breaks: ["S-03"],
    seed: 103,
  },
  {
    name: "leaked-slot",
    what: "a call that is aborted or times out keeps its slot",
    patches: [
      {
        file: "src/core/request/request-server.ts",
        find: "this.#flow.release(request.priority, (after) => {",
        replace:
          "if (isForced) {\n      if (delivery !== undefined) this.#places.settle(delivery);\n    } else this.#flow.release(request.priority, (after) => {",
      },
    ],
    breaks: ["S-02", "S-07", "S-09"],
    seed: 28,
  },
  {
    name: "signal-sent-again",
    what: "a request that was not confirmed when the link was lost is sent again",
    patches: [
      {
        file: "src/core/request/remote-call.ts",
        find: "resend: false, ended: publishing }",
        replace: "resend: true }",
      },
    ],
    breaks: ["S-08"],
    seed: 168,
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
    seed: 3,
  },
];
