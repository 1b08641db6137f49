import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { echo, goesOn, LONG_MS, next, read, readWell, service, start } from "./steps.js";
import { firstSignal, wireClient, wireServer } from "./wire-peers.js";

/** Requests that come again, and answers from more than one node. */
export const redeliveryCases: readonly ContractCase[] = [
  {
    id: "R-99",
    sentence: "a request that comes again, after the node that took it died, is answered with UNAVAILABLE and not run",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered");
      const dying = await wireServer(context, name, { settles: false });
      const sink = await context.sink(name);
      const stream = start(sink);
      await firstSignal(dying);
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      const { error } = await read(context, stream);
      assert.ok(MessagingError.is(error, "UNAVAILABLE"), String(error));
      await goesOn(context, sink);
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["still there?"],
      );
    },
  },
  {
    id: "R-100",
    sentence: "an idempotent request that comes again is run again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered-idempotent");
      const dying = await wireServer(context, name, { settles: false });
      const sink = await context.sink(name);
      const stream = start(sink, "again", { idempotent: true });
      await firstSignal(dying);
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      assert.deepEqual(await readWell(context, stream), ["again"]);
    },
  },
  {
    id: "R-101",
    sentence: "a one-way request that comes again is dropped and told to observers, unless it is idempotent",
    needs: ["frames"],
    async run(context) {
      const name = context.name("redelivered-one-way");
      const dying = await wireServer(context, name, { settles: false });
      const client = await wireClient(context, name);
      for (const [body, idempotent] of [
        ["once", undefined],
        ["again", "true"],
      ] as const) {
        const headers = { [FRAME_HEADER.window]: "0", [FRAME_HEADER.idempotent]: idempotent };
        await client.signal(body, { replyTo: "", headers });
      }
      await dying.signals.count(2);
      const own = service(context, echo);
      const node = await context.node();
      await context.serve(node, name, own);
      await context.soon(dying.connection.close(), "close of the dying node's link");
      await node.observed.find((item) => item.type === "discarded", "an observation of what was dropped");
      assert.equal((await own.calls.at(0)).text, "again");
      await goesOn(context, await context.sink(name));
      assert.equal(own.calls.items.length, 2);
    },
  },
  {
    id: "R-102",
    sentence: "a caller heeds no refusal from a node other than the one that named its call",
    needs: ["frames"],
    async run(context) {
      const name = context.name("foreign-refusal");
      const one = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(one);
      const two = await wireServer(context, context.name("elsewhere"));
      await one.alive(signal, LONG_MS, [signal.correlationId ?? "", 0, false]);
      await context.window(50, "the Alive has come by then");
      await two.fail(signal, "UNAVAILABLE", { [FRAME_HEADER.refused]: "true" });
      await context.window(100, "the refusal has come by then");
      await one.respond(signal, 1, "one");
      await one.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), ["one"]);
    },
  },
  {
    id: "R-103",
    sentence:
      "a call is bound to the node of its first response: frames of another are answered with Abort and not read",
    needs: ["frames"],
    async run(context) {
      const name = context.name("bound");
      const one = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(one);
      const two = await wireServer(context, name);
      await one.respond(signal, 1, "one");
      await next(context, stream, 1);
      await two.respond(signal, 2, "foreign");
      await two.finish(signal, 2);
      await two.heard.until(
        (items) => items.some((frame) => frame.type === FRAME.abort && frame.correlationId === signal.correlationId),
        "an abort",
      );
      await one.respond(signal, 2, "two");
      await one.finish(signal, 2);
      assert.deepEqual(await readWell(context, stream), ["two"]);
      assert.equal(one.heard.items.filter((frame) => frame.type === FRAME.abort).length, 0, `${one.heard}`);
    },
  },
  {
    id: "R-192",
    sentence:
      "an idempotent call that was refused while another node had named it fails with that refusal when the node falls silent",
    needs: ["frames"],
    async run(context) {
      const name = context.name("refused-then-silent");
      const one = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { idempotent: true });
      const signal = await firstSignal(one);
      const two = await wireServer(context, context.name("elsewhere"));
      await one.alive(signal, context.unhurried(300), [signal.correlationId ?? "", 0, false]);
      await two.fail(signal, "TOO_LARGE", { [FRAME_HEADER.refused]: "true" });
      const { error, texts } = await read(context, stream);
      assert.ok(MessagingError.is(error, "TOO_LARGE"), String(error));
      assert.deepEqual(texts, []);
    },
  },
  {
    id: "R-108",
    sentence:
      "responses of two runs are never read as one: a node that starts an answered call anew fails it with UNAVAILABLE",
    needs: ["frames"],
    async run(context) {
      const name = context.name("two-runs");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { idempotent: true });
      const signal = await firstSignal(server);
      const say = (run: string, sequence: number) =>
        server.send(signal, {
          type: FRAME.response,
          headers: { [FRAME_HEADER.run]: run, [FRAME_HEADER.sequence]: String(sequence) },
          body: `${run}-${sequence}`,
        });
      await say("first", 1);
      await say("first", 2);
      await say("second", 3);
      const { error, texts } = await read(context, stream);
      assert.ok(MessagingError.is(error, "UNAVAILABLE"), String(error));
      assert.deepEqual(texts, ["first-1", "first-2"]);
    },
  },
];
