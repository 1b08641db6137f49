import assert from "node:assert";
import { jsonCodec } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes } from "../text.js";
import { holdsOnly, post, take } from "./steps.js";

/** What must not be published is refused, and nothing of it is stored. */
export const refusalCases: readonly ContractCase[] = [
  {
    id: "Q-06",
    sentence: "a header with the reserved prefix is refused with INVALID_ARGUMENT, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("reserved");
      const headers = { "fairlead-failures": "3" };
      const attempt = () => messaging.queue(name).publish({ body: bytes("refused"), headers });
      const error = await context.refused(attempt, "INVALID_ARGUMENT", "publish with a reserved header");
      assert.match(error.message, /fairlead-failures/);
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-07",
    sentence: "publish options that make no sense are refused with INVALID_ARGUMENT, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("options");
      const queue = messaging.queue(name);
      const body = bytes("refused");
      for (const options of [
        { delayMs: -1 },
        { delayMs: Number.NaN },
        { expiresInMs: -1 },
        { timeoutMs: 0 },
        { timeoutMs: Number.NaN },
      ]) {
        const attempt = () => queue.publish({ body }, options);
        await context.refused(attempt, "INVALID_ARGUMENT", `publish with ${JSON.stringify(options)}`);
      }
      const misspelt: object = { delayMS: 5 };
      await context.refused(
        () => queue.publish({ body }, misspelt),
        "INVALID_ARGUMENT",
        "publish with an unknown option",
      );
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-09",
    sentence: "a body that its codec cannot encode is refused with INVALID_ARGUMENT, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("unencodable");
      const circular: { self?: unknown } = {};
      circular.self = circular;
      const queue = messaging.queue(name, { codec: jsonCodec<unknown>() });
      await context.refused(() => queue.publish({ body: circular }), "INVALID_ARGUMENT", "publish of a circular value");
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-10",
    sentence: "a body over maxMessageBytes is refused with TOO_LARGE, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("too-large");
      const body = new Uint8Array(context.capabilities.maxMessageBytes + 1);
      await context.refused(() => messaging.queue(name).publish({ body }), "TOO_LARGE", "publish over the limit");
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-12",
    sentence:
      "a name that is empty, holds a control character or is over 150 bytes is refused with INVALID_ARGUMENT; 150 bytes work",
    async run(context) {
      const { messaging } = await context.node();
      for (const name of ["", "new\nline", "nul\u0000", "x".repeat(151), "ż".repeat(76)]) {
        await context.refused(() => messaging.queue(name), "INVALID_ARGUMENT", `a queue named ${JSON.stringify(name)}`);
        await context.refused(
          () => messaging.broadcast(name),
          "INVALID_ARGUMENT",
          `a broadcast named ${JSON.stringify(name)}`,
        );
      }
      const queue = messaging.queue(context.name("longest").padEnd(150, "x"));
      const { seen } = await take(context, queue);
      await post(context, queue, "one");
      await seen.count(1);
    },
  },
  {
    id: "Q-14",
    sentence:
      "publish with an aborted signal is refused with ABORTED, the signal's reason as cause, and nothing is published",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("aborted");
      const reason = new Error("changed my mind");
      const attempt = () =>
        messaging.queue(name).publish({ body: bytes("refused") }, { signal: AbortSignal.abort(reason) });
      const error = await context.refused(attempt, "ABORTED", "publish with an aborted signal");
      assert.equal(error.cause, reason);
      await holdsOnly(context, messaging, name);
    },
  },
  {
    id: "Q-16",
    sentence: "persistent: true is refused with UNSUPPORTED where nothing survives a restart, and nothing is published",
    where: { "queue.persistent": false },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("persistent");
      const attempt = () => messaging.queue(name).publish({ body: bytes("refused") }, { persistent: true });
      await context.unsupported(attempt, "persistent", "publish with persistent: true");
      await holdsOnly(context, messaging, name);
    },
  },
];
