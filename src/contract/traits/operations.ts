import assert from "node:assert";
import type { ConnectionState, Messaging } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { consumeOptions, post, take } from "../queue/steps.js";
import { bytes } from "../text.js";

interface Operation {
  readonly name: string;
  run(context: ContractContext, messaging: Messaging, target: string): Promise<unknown>;
  /** What a connection that is being closed says; handlers that run may still publish. */
  readonly whileClosing: "works" | "waits for the handlers that run" | "CLOSED";
  readonly afterClose: "works" | "CLOSED";
}

const operations: readonly Operation[] = [
  {
    name: "open",
    run: (_, messaging) => messaging.open(),
    whileClosing: "CLOSED",
    afterClose: "CLOSED",
  },
  {
    name: "publish to a queue",
    run: (_, messaging, target) => messaging.queue(target).publish({ body: bytes("one") }),
    whileClosing: "works",
    afterClose: "CLOSED",
  },
  {
    name: "consume",
    run: (context, messaging, target) => messaging.queue(target).consume(async () => {}, consumeOptions(context)),
    whileClosing: "CLOSED",
    afterClose: "CLOSED",
  },
  {
    name: "publish of a broadcast",
    run: (_, messaging, target) => messaging.broadcast(target).publish({ body: bytes("one") }),
    whileClosing: "works",
    afterClose: "CLOSED",
  },
  {
    name: "subscribe",
    run: (_, messaging, target) => messaging.broadcast(target).subscribe(() => {}),
    whileClosing: "CLOSED",
    afterClose: "CLOSED",
  },
  {
    name: "close",
    run: (_, messaging) => messaging.close(),
    whileClosing: "waits for the handlers that run",
    afterClose: "works",
  },
];

interface Trait {
  readonly state: ConnectionState;
  readonly says: string;
  /** The id of the first operation; the others follow, new ones at the end. */
  readonly firstId: number;
  readonly needs?: ContractCase["needs"];
  /** Brings a node into the state and runs the operation there. */
  reach(
    context: ContractContext,
    attempt: (messaging: Messaging) => Promise<unknown>,
    expected: Operation["whileClosing"],
  ): Promise<unknown>;
}

const traits: readonly Trait[] = [
  {
    state: "idle",
    says: "on an idle connection",
    firstId: 30,
    async reach(context, attempt) {
      const { messaging } = await context.node();
      assert.equal(messaging.state, "idle");
      return attempt(messaging);
    },
  },
  {
    state: "connecting",
    says: "while connecting",
    firstId: 40,
    async reach(context, attempt) {
      const { messaging } = await context.node();
      const opening = messaging.open();
      // Whether this one is refused by a close is another case's business.
      opening.catch(() => undefined);
      assert.equal(messaging.state, "connecting");
      return attempt(messaging);
    },
  },
  {
    state: "open",
    says: "on an open connection",
    firstId: 50,
    async reach(context, attempt) {
      const { messaging } = await context.node();
      await context.soon(messaging.open(), "open");
      assert.equal(messaging.state, "open");
      return attempt(messaging);
    },
  },
  {
    state: "reconnecting",
    says: "while reconnecting",
    firstId: 60,
    needs: ["dropConnections"],
    async reach(context, attempt) {
      let attempted: Promise<unknown> | undefined;
      const { messaging } = await context.node({
        observers: [
          (item) => {
            // Told while it happens, so that the state is this one for certain.
            if (item.type !== "connection" || item.state !== "reconnecting" || attempted !== undefined) return;
            attempted = attempt(messaging);
            attempted.catch(() => undefined);
          },
        ],
      });
      await context.soon(messaging.open(), "open");
      await context.dropConnections();
      await context.until(
        () => attempted !== undefined,
        () => `the connection to be reconnecting; it is ${messaging.state}`,
        context.recoveryMs,
      );
      return attempted;
    },
  },
  {
    state: "closing",
    says: "while closing",
    firstId: 70,
    async reach(context, attempt, expected) {
      const { messaging } = await context.node();
      const name = context.name("closing");
      const gate = context.gate();
      const { seen } = await take(context, messaging.queue(name), () => gate.wait());
      await post(context, messaging.queue(name), "one");
      await seen.count(1);
      const closing = messaging.close();
      assert.equal(messaging.state, "closing");
      const outcome = Promise.allSettled([attempt(messaging)]);
      if (expected !== "waits for the handlers that run")
        await context.soon(outcome, "the operation, while a handler runs");
      gate.open();
      await context.soon(closing, "close");
      const [result] = await context.soon(outcome, "the operation");
      if (result.status === "rejected") throw result.reason;
      return result.value;
    },
  },
  {
    state: "closed",
    says: "after close",
    firstId: 80,
    async reach(context, attempt) {
      const { messaging } = await context.node();
      await context.soon(messaging.open(), "open");
      await context.soon(messaging.close(), "close");
      assert.equal(messaging.state, "closed");
      return attempt(messaging);
    },
  },
];

/** Each operation in each state of the connection. */
export const traitCases: readonly ContractCase[] = traits.flatMap((trait) =>
  operations.map((operation, index): ContractCase => {
    const { state, says, needs } = trait;
    const expected = expectation(operation, state);
    return {
      id: `C-${trait.firstId + index}`,
      sentence: `${operation.name} ${says} ${expected === "CLOSED" ? "is refused with CLOSED" : expected}`,
      needs,
      async run(context) {
        const target = context.name("trait");
        const reached = trait.reach(context, (messaging) => operation.run(context, messaging, target), expected);
        if (expected === "CLOSED") await context.refused(() => reached, "CLOSED", operation.name);
        else await context.soon(reached, operation.name, 10_000);
      },
    };
  }),
);

function expectation({ whileClosing, afterClose }: Operation, state: ConnectionState): Operation["whileClosing"] {
  if (state === "closing") return whileClosing;
  return state === "closed" ? afterClose : "works";
}
