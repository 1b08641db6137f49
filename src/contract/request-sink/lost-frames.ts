import assert from "node:assert";
import { FRAME } from "../../driver/index.js";
import { call } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
import {
  echo,
  keepAliveMs,
  next,
  read,
  readFailure,
  readWell,
  request,
  respond,
  service,
  start,
  streaming,
  told,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { wireServer } from "./wire-peers.js";

/** Frames that are lost, repeated, late or early. */
export const lostFrameCases: readonly ContractCase[] = [
  {
    id: "R-110",
    sentence: "a reply that overtakes the confirm of its request is not lost",
    needs: ["frames"],
    async run(context) {
      const name = context.name("overtakes");
      await context.serve(await context.node(), name, service(context, streaming(3)));
      const client = tappedNode(context, {
        async onConfirm(message) {
          if (message.type !== FRAME.signal) return;
          await client.received.until(
            (items) => items.some((frame) => frame.type === FRAME.end && frame.correlationId === message.correlationId),
            "the end, before the confirm",
          );
        },
      });
      const sink = client.messaging.requestSink(name);
      for (let round = 0; round < 3; round += 1) {
        assert.deepEqual(await readWell(context, start(sink)), numbered("r", 3));
      }
    },
  },
  {
    id: "R-111",
    sentence: "responses and ends that arrive twice are delivered once",
    needs: ["frames"],
    async run(context) {
      const name = context.name("duplicates");
      await context.serve(await context.node(), name, service(context, streaming(50)));
      const client = tappedNode(context, { onInbox: (message) => [message, message] });
      const sink = client.messaging.requestSink(name);
      assert.deepEqual(await readWell(context, start(sink, "request", { window: 8 })), numbered("r", 50));
    },
  },
  {
    id: "R-112",
    sentence:
      "a response that is lost is sent again: its call ends well with all of them, never with a clean end without it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("gap");
      const own = service(context, streaming(10));
      await context.serve(await context.node(), name, own);
      let count = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          count += message.type === FRAME.response ? 1 : 0;
          return message.type === FRAME.response && count === 4 ? [] : [message];
        },
      });
      const sink = client.messaging.requestSink(name);
      for (let round = 0; round < 2; round += 1) {
        assert.deepEqual(await readWell(context, start(sink), context.recoveryMs), numbered("r", 10));
      }
      assert.equal(own.calls.items.length, 2, "a handler ran twice");
    },
  },
  {
    id: "R-113",
    sentence: "a last response that is lost shows at the end, and is sent again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("last-lost");
      await context.serve(await context.node(), name, service(context, streaming(5)));
      let count = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          count += message.type === FRAME.response ? 1 : 0;
          return message.type === FRAME.response && count === 5 ? [] : [message];
        },
      });
      const texts = await readWell(context, start(client.messaging.requestSink(name)), context.recoveryMs);
      assert.deepEqual(texts, numbered("r", 5));
    },
  },
  {
    id: "R-114",
    sentence: "a response that is lost while its server goes silent shows in the next Alive, and is sent again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("alive-shows");
      const own = service(context, async (served) => {
        await respond(served, ...numbered("r", 3));
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      let count = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          count += message.type === FRAME.response ? 1 : 0;
          return message.type === FRAME.response && count === 3 ? [] : [message];
        },
      });
      const stream = start(client.messaging.requestSink(name));
      assert.deepEqual(await next(context, stream, 3), numbered("r", 3));
      stream.abort();
      await told(context, await own.calls.at(0));
    },
  },
  {
    id: "R-115",
    sentence: "an end that is lost does not leave its caller waiting for the timeout",
    needs: ["frames"],
    async run(context) {
      const name = context.name("end-lost");
      await context.serve(await context.node(), name, service(context, streaming(3)), {
        keepAliveMs: keepAliveMs(context),
      });
      let lost = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          if (message.type !== FRAME.end || lost > 0) return [message];
          lost += 1;
          return [];
        },
      });
      const other = start(client.messaging.requestSink(name), "other");
      assert.equal((await read(context, other, context.recoveryMs)).texts.length, 3);
      const stream = start(client.messaging.requestSink(name));
      const { texts } = await read(context, stream, context.recoveryMs);
      assert.deepEqual(texts, numbered("r", 3));
      assert.equal(lost, 1);
    },
  },
  {
    id: "R-116",
    sentence: "on the wire a call has a name of its own, never the application's callId, and a new one each time",
    needs: ["frames"],
    async run(context) {
      const name = context.name("names");
      await context.serve(await context.node(), name, service(context, echo));
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      for (let round = 0; round < 2; round += 1) {
        await readWell(context, start(sink, "request", {}, { callId: "same" }));
      }
      const ids = client.published.items.flatMap(({ message }) =>
        message.type === FRAME.signal ? [message.correlationId] : [],
      );
      assert.equal(new Set(ids).size, 2);
      assert.ok(!ids.includes("same"));
    },
  },
  {
    id: "R-135",
    sentence: "a frame from a dead call's server is counted as discarded, and harms no other call",
    needs: ["frames"],
    async run(context) {
      const name = context.name("late-frames");
      const server = await wireServer(context, name);
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      const dead = call(sink, request(), { timeoutMs: context.unhurried(500) });
      const signal = (await server.signals.at(0)).message;
      await readFailure(context, dead, "TIMEOUT");
      await server.respond(signal, 1, "late");
      await client.observed.find((item) => item.type === "discarded", "an observation of the late frame");
      const stream = start(sink, "alive");
      const next1 = (await server.signals.at(1)).message;
      await server.respond(next1, 1, "well");
      await server.finish(next1, 1);
      assert.deepEqual(await readWell(context, stream), ["well"]);
    },
  },
];
