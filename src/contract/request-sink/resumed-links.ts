import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import { long } from "./long-body.js";
import { framesOf, HALF, isWhole, resumable } from "./resumable.js";
import {
  goesOn,
  inTwoParts,
  keepAliveMs,
  LONG_MS,
  next,
  readFailure,
  readWell,
  respond,
  service,
  start,
  told,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";

/** What becomes of calls that were answered, when inboxes and links are lost in the middle. */
export const resumedLinkCases: readonly ContractCase[] = [
  {
    id: "R-200",
    sentence:
      "a call that was answered survives the loss of its caller's inbox: every response comes, in order and once",
    needs: ["frames"],
    async run(context) {
      const opened = await resumable(context, "inbox-lost");
      const { client, sink, gate } = opened;
      const stream = start(sink);
      const texts = await next(context, stream, HALF);
      await client.loseInboxes();
      gate.open();
      isWhole(opened, [...texts, ...(await readWell(context, stream, context.recoveryMs))]);
      assert.equal(new Set(framesOf(client, FRAME.resume).map(({ headers }) => headers[FRAME_HEADER.inbox])).size, 1);
      await goesOn(context, sink);
    },
  },
  {
    id: "R-201",
    sentence: "a stream that flows while its caller's inbox is lost again and again comes whole",
    needs: ["frames"],
    async run(context) {
      const name = context.name("flowing");
      const own = service(context, async (served) => {
        await respond(served, ...numbered("r", 400));
        served.context.end();
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request", { window: 16 });
      const texts: string[] = [];
      for (const count of [40, 80, 120]) {
        texts.push(...(await next(context, stream, count)));
        await client.loseInboxes();
      }
      texts.push(...(await readWell(context, stream, context.recoveryMs)));
      assert.deepEqual(texts, numbered("r", 400));
      assert.equal(own.calls.items.length, 1, "the handler ran twice");
    },
  },
  {
    id: "R-202",
    sentence: "a call that was answered survives the loss of its caller's link",
    needs: ["frames"],
    async run(context) {
      const opened = await resumable(context, "client-link");
      const { client, sink, gate } = opened;
      const stream = start(sink);
      const texts = await next(context, stream, 2);
      await client.loseConnections();
      gate.open();
      isWhole(opened, [...texts, ...(await readWell(context, stream, context.recoveryMs))]);
    },
  },
  {
    id: "R-203",
    sentence: "a call survives the loss of its server's link: what was lost with it is sent again on the next",
    needs: ["frames"],
    async run(context) {
      const name = context.name("server-link");
      const gate = context.gate();
      const own = service(context, inTwoParts(gate, ["one"], ["two", "three", long(3_000)]));
      let isLost = false;
      const node = tappedNode(context, {
        onPublish: (message, to) => (isLost && to.kind === "inbox" ? [] : [message]),
      });
      await context.serve(node, name, own, { keepAliveMs: LONG_MS, fragmentBytes: 1_000 });
      const stream = start(await context.sink(name));
      await next(context, stream, 1);
      isLost = true;
      gate.open();
      await context.until(
        () => framesOf(node, FRAME.end).length === 1,
        () => `the end to be sent; ${node.published}`,
      );
      await node.loseConnections();
      isLost = false;
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), ["two", "three", long(3_000)]);
      assert.equal(own.calls.items.length, 1, "the handler ran twice");
    },
  },
  {
    id: "R-204",
    sentence: "calls that were answered survive when every link is cut at once, and again",
    needs: ["dropConnections"],
    async run(context) {
      const name = context.name("all-links");
      const gates = [context.gate(), context.gate()] as const;
      const own = service(context, async (served) => {
        await respond(served, ...numbered("a", 20));
        await gates[0].wait();
        await respond(served, ...numbered("b", 20));
        await gates[1].wait();
        await respond(served, ...numbered("c", 20));
        served.context.end();
      });
      await context.serve(await context.node(), name, own);
      const sink = await context.sink(name);
      const streams = numbered("call", 3).map((body) => start(sink, body, { window: 30 }));
      const texts = await Promise.all(streams.map((stream) => next(context, stream, 20)));
      for (const [index, gate] of gates.entries()) {
        await context.dropConnections();
        gate.open();
        if (index > 0) break;
        const more = await Promise.all(
          streams.map((stream) => context.soon(next(context, stream, 20), "the second part", context.recoveryMs)),
        );
        for (const [place, list] of texts.entries()) list.push(...(more[place] ?? []));
      }
      const rest = await Promise.all(streams.map((stream) => readWell(context, stream, 2 * context.recoveryMs)));
      for (const [place, list] of texts.entries()) {
        assert.deepEqual(
          [...list, ...(rest[place] ?? [])],
          [...numbered("a", 20), ...numbered("b", 20), ...numbered("c", 20)],
        );
      }
      assert.equal(own.calls.items.length, 3, "a handler ran twice");
    },
  },
  {
    id: "R-210",
    sentence:
      "a V4 call fails with UNAVAILABLE at once when its inbox is lost, answered or not, and its services are told",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unnumbered");
      const own = service(context, async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own);
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name, { protocolVersion: "V4" }));
      await next(context, stream, 1);
      const watch = new Stopwatch();
      await client.loseInboxes();
      await readFailure(context, stream, "UNAVAILABLE");
      assert.ok(watch.undisturbedMs < context.recoveryMs / 4);
      await told(context, await own.calls.at(0));
      assert.deepEqual(framesOf(client, FRAME.resume), []);
    },
  },
];
