import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { echo, goesOn, keepAliveMs, LONG_MS, next, readWell, respond, service, start, told } from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { controlBroadcast, firstSignal, wireServer } from "./wire-peers.js";

/** Frames about calls that one end does not know, or knows no more. */
export const unknownCallCases: readonly ContractCase[] = [
  {
    id: "R-40",
    sentence:
      "an abort that is lost heals: the client answers what it hears of a call that it gave up with another one",
    needs: ["frames"],
    async run(context) {
      const name = context.name("abort-lost");
      const own = service(context, async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      let lost = 0;
      const client = tappedNode(context, {
        onPublish(message) {
          if (message.type !== FRAME.abort || lost > 0) return [message];
          lost += 1;
          return [];
        },
      });
      const stream = start(client.messaging.requestSink(name));
      await next(context, stream, 1);
      stream.abort();
      await told(context, await own.calls.at(0));
      assert.equal(lost, 1);
    },
  },
  {
    id: "R-41",
    sentence: "an abort goes to all nodes while nobody has answered, and from then on to the node that did, alone",
    needs: ["frames"],
    async run(context) {
      const name = context.name("abort-node");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const early = start(sink);
      await firstSignal(server);
      const other = await wireServer(context, name);
      early.abort();
      for (const { heard } of [server, other]) {
        await heard.count(1);
        assert.equal(heard.items[0]?.type, FRAME.abort);
      }
      const answered = start(sink);
      await context.until(
        () => server.signals.items.length + other.signals.items.length === 2,
        () => "the second request to arrive",
      );
      const [busy, idle] = server.signals.items.length === 2 ? [server, other] : [other, server];
      const signal = await firstSignal(busy, busy === server ? 1 : 0);
      await busy.respond(signal, 1, "one");
      await next(context, answered, 1);
      answered.abort();
      await busy.heard.count(2);
      assert.equal(busy.heard.items[1]?.type, FRAME.abort);
      // What is for all comes after it.
      const marker = start(sink);
      marker.abort();
      await idle.heard.count(2);
      const strays = idle.heard.items.filter(({ correlationId }) => correlationId === signal.correlationId);
      assert.equal(strays.length, 0, `${idle.heard}`);
    },
  },
  {
    id: "R-42",
    sentence:
      "frames and Alive entries of calls that a client does not know are answered with Abort, and counted as discarded",
    needs: ["frames"],
    async run(context) {
      const name = context.name("abort-unknown");
      const server = await wireServer(context, name);
      const client = tappedNode(context);
      start(client.messaging.requestSink(name)).ended.catch(() => undefined);
      const signal = await firstSignal(server);
      const strange = { ...signal, correlationId: "8d9a6a3c-0000-4000-8000-000000000001" };
      await server.respond(strange, 1, "to whom?");
      const abort = (id: string) =>
        server.heard.items.filter((frame) => frame.type === FRAME.abort && frame.correlationId === id);
      await context.until(
        () => abort(strange.correlationId).length > 0,
        () => `an abort of the unknown call; ${server.heard}`,
      );
      await server.alive(signal, 60_000, ["8d9a6a3c-0000-4000-8000-000000000002", 0, false]);
      await context.until(
        () => abort("8d9a6a3c-0000-4000-8000-000000000002").length > 0,
        () => `an abort of the call in the Alive; ${server.heard}`,
      );
      await client.observed.find((item) => item.type === "discarded", "an observation of what was discarded");
    },
  },
  {
    id: "R-43",
    sentence: "a client answers a flood of frames of one unknown call with one Abort an interval, not with one each",
    needs: ["frames"],
    async run(context) {
      const name = context.name("abort-flood");
      const server = await wireServer(context, name);
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name));
      const signal = await firstSignal(server);
      const strange = { ...signal, correlationId: "8d9a6a3c-0000-4000-8000-000000000003" };
      const flood = Array.from({ length: 300 }, (_, index) => server.respond(strange, index + 1, "again"));
      await Promise.all(flood);
      await server.respond(signal, 1, "one");
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), ["one"]);
      const aborts = client.published.items.filter(({ message }) => message.type === FRAME.abort);
      assert.ok(aborts.length >= 1 && aborts.length <= 3, `${aborts.length} aborts for 300 frames`);
      const told = client.observed.items.filter((item) => item.type === "discarded");
      assert.ok(told.length <= 3, `300 frames were told one by one; ${client.observed}`);
    },
  },
  {
    id: "R-44",
    sentence: "a server answers nobody about calls that it does not know",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unknown-at-server");
      const node = tappedNode(context);
      await context.serve(node, name, service(context, echo));
      const client = await wireServer(context, context.name("elsewhere"));
      for (const type of [FRAME.credit, FRAME.abort]) {
        const headers = {
          [FRAME_HEADER.client]: "nobody",
          [FRAME_HEADER.consumed]: "1",
          [FRAME_HEADER.grantedUpTo]: "9",
        };
        await context.soon(
          client.connection.publish(
            { kind: "broadcast", name: controlBroadcast(name), node: node.messaging.nodeId },
            {
              messageId: "unknown",
              type,
              correlationId: "8d9a6a3c-0000-4000-8000-000000000004",
              replyTo: client.inbox,
              contentType: "application/octet-stream",
              headers,
              body: new Uint8Array(0),
              timestamp: Date.now(),
              persistent: false,
            },
          ),
          `frame ${type}`,
        );
      }
      const sink = await context.sink(name);
      await goesOn(context, sink);
      assert.equal(client.uploaded.items.length, 0, `${client.uploaded}`);
    },
  },
  {
    id: "R-45",
    sentence: "a server whose first frame of a call comes back, because its caller is gone, ends the call at once",
    needs: ["frames"],
    async run(context) {
      const name = context.name("caller-gone");
      const gate = context.gate();
      const own = service(context, async (served) => {
        await gate.wait();
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: LONG_MS });
      const client = tappedNode(context, {
        // Nobody is told: as if the client had died.
        onPublish: (message) => (message.type === FRAME.abort ? [] : [message]),
      });
      start(client.messaging.requestSink(name)).ended.catch(() => undefined);
      const served = await own.calls.at(0);
      await client.loseConnections();
      const watch = new Stopwatch();
      gate.open();
      const reason = await told(context, served);
      const { ms, undisturbedMs } = watch;
      // Nothing else would end it before its deadline, or before the broker's own clocks.
      assert.ok(undisturbedMs < context.recoveryMs / 4, `told ${Math.round(ms)} ms after its first frame was sent`);
      assert.ok(MessagingError.is(reason, "UNAVAILABLE"), String(reason));
    },
  },
];
