import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { call } from "../../index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered, text } from "../text.js";
import {
  fails,
  goesOn,
  keepAliveMs,
  LONG_MS,
  next,
  open,
  readFailure,
  readWell,
  request,
  respond,
  service,
  start,
  streaming,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, numberOf, wireClient, wireServer } from "./wire-peers.js";

/** What is said of the window, when it is lost or wrong, and how long it is waited for. */
export const creditCases: readonly ContractCase[] = [
  {
    id: "R-59",
    sentence: "credit travels in batches, not with each response",
    needs: ["frames"],
    async run(context) {
      const name = context.name("batched-credit");
      await context.serve(await context.node(), name, service(context, streaming(1_000)));
      const client = tappedNode(context);
      const texts = await readWell(context, start(client.messaging.requestSink(name), "request", { window: 100 }));
      assert.equal(texts.length, 1_000);
      const credits = client.published.items.filter(({ message }) => message.type === FRAME.credit).length;
      assert.ok(credits > 0 && credits <= 250, `${credits} credits for 1,000 responses with a window of 100`);
    },
  },
  {
    id: "R-60",
    sentence: "credit is absolute: repeated and reordered it neither widens nor narrows the window",
    needs: ["frames"],
    async run(context) {
      const name = context.name("absolute-credit");
      const node = await context.node();
      await context.serve(node, name, service(context, streaming(50)));
      const client = await wireClient(context, name);
      const id = await client.signal("request", { headers: { [FRAME_HEADER.window]: "4" } });
      const responses = () => client.all(FRAME.response).length;
      await context.until(
        () => responses() === 4,
        () => `the window's four; ${client.frames}`,
      );
      const credit = (consumed: number, grantedUpTo: number) =>
        client.tell(
          FRAME.credit,
          id,
          { [FRAME_HEADER.consumed]: String(consumed), [FRAME_HEADER.grantedUpTo]: String(grantedUpTo) },
          node.messaging.nodeId,
        );
      for (const [consumed, granted] of [
        [2, 6],
        [2, 6],
        [3, 7],
        [2, 6],
        [0, 4],
        [3, 7],
      ] as const) {
        await credit(consumed, granted);
      }
      await context.until(
        () => responses() >= 7,
        () => `seven; ${client.frames}`,
      );
      await context.window(100, "an eighth would have come by then");
      assert.equal(responses(), 7);
      await credit(50, 54);
      await context.window(50, "a server that believes it has gone on by then");
      assert.equal(responses(), 7, "a Consumed beyond what was sent was believed");
      await credit(7, 60);
      await context.until(
        () => client.all(FRAME.end).length === 1,
        () => `the end; ${client.frames}`,
      );
      assert.deepEqual(
        client.all(FRAME.response).map((frame) => text(frame.body)),
        numbered("r", 50),
      );
    },
  },
  {
    id: "R-61",
    sentence: "a grant beyond all bounds lets the server send 2,048 responses more than were taken, and no more",
    needs: ["frames"],
    async run(context) {
      const name = context.name("clamped-credit");
      const node = await context.node();
      await context.serve(node, name, service(context, streaming(3_000)));
      const client = await wireClient(context, name);
      const id = await client.signal("request", { headers: { [FRAME_HEADER.window]: "10" } });
      const responses = () => client.all(FRAME.response).length;
      await context.until(
        () => responses() === 10,
        () => "the window's ten",
      );
      const headers = { [FRAME_HEADER.consumed]: "0", [FRAME_HEADER.grantedUpTo]: "9007199254740991" };
      await client.tell(FRAME.credit, id, headers, node.messaging.nodeId);
      await context.until(
        () => responses() >= 2_048,
        () => `2,048; ${responses()} came`,
      );
      await context.window(100, "the others would have come by then");
      assert.equal(responses(), 2_048);
    },
  },
  {
    id: "R-62",
    sentence: "a credit that is lost heals: the server says that it waits, and is granted again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("lost-credit");
      await context.serve(await context.node(), name, service(context, streaming(40)), {
        keepAliveMs: keepAliveMs(context),
      });
      let lost = 0;
      const client = tappedNode(context, {
        onPublish(message) {
          if (message.type !== FRAME.credit || lost >= 2) return [message];
          lost += 1;
          return [];
        },
      });
      const texts = await readWell(context, start(client.messaging.requestSink(name), "request", { window: 4 }));
      assert.deepEqual(texts, numbered("r", 40));
      assert.equal(lost, 2, "no credit was sent that could be lost");
    },
  },
  {
    id: "R-63",
    sentence: "credit goes to the node that runs the call, and to no other",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-node");
      const one = await wireServer(context, name);
      const two = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 2 });
      await context.until(
        () => one.signals.items.length + two.signals.items.length === 1,
        () => "the request to arrive",
      );
      const [busy, idle] = one.signals.items.length === 1 ? [one, two] : [two, one];
      const signal = await firstSignal(busy);
      await busy.respond(signal, 1, "one");
      await busy.respond(signal, 2, "two");
      await next(context, stream, 2);
      await busy.heard.until((items) => items.some((frame) => frame.type === FRAME.credit), "credit");
      assert.equal(idle.heard.items.filter((frame) => frame.type === FRAME.credit).length, 0, `${idle.heard}`);
      await busy.finish(signal, 2);
      await readWell(context, stream);
    },
  },
  {
    id: "R-64",
    sentence: "a credit names the highest response that was taken, and grants a window beyond it",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-says");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 4 });
      const signal = await firstSignal(server);
      assert.equal(numberOf(signal, FRAME_HEADER.window), 4);
      for (const sequence of [1, 2, 3, 4]) await server.respond(signal, sequence, `r-${sequence}`);
      for (const taken of [2, 4]) {
        await next(context, stream, 2);
        await server.heard.until(
          (items) => items.some((frame) => numberOf(frame, FRAME_HEADER.consumed) === taken),
          `a credit that says ${taken}`,
        );
      }
      for (const frame of server.heard.items) {
        assert.equal(frame.type, FRAME.credit);
        assert.equal(frame.correlationId, signal.correlationId);
        assert.equal(numberOf(frame, FRAME_HEADER.grantedUpTo), numberOf(frame, FRAME_HEADER.consumed) + 4);
      }
      await server.finish(signal, 4);
      await readWell(context, stream);
    },
  },
  {
    id: "R-65",
    sentence: "a server that sends beyond its grant fails that call with REJECTED and is told to stop; others go on",
    needs: ["frames"],
    async run(context) {
      const name = context.name("overrun");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "request", { window: 3 });
      const signal = await firstSignal(server);
      const other = start(sink, "other", { window: 3 });
      const otherSignal = await firstSignal(server, 1);
      for (const sequence of [1, 2, 3, 4]) await server.respond(signal, sequence, `r-${sequence}`);
      await fails(context, stream, "REJECTED");
      const { texts } = await readFailure(context, stream, "REJECTED");
      assert.deepEqual(texts, ["r-1", "r-2", "r-3"]);
      await server.heard.until(
        (items) => items.some((frame) => frame.type === FRAME.abort && frame.correlationId === signal.correlationId),
        "an abort",
      );
      await server.respond(otherSignal, 1, "well");
      await server.finish(otherSignal, 1);
      assert.deepEqual(await readWell(context, other), ["well"]);
    },
  },
  {
    id: "R-66",
    sentence: "unread responses hold up the deadline of a call, for stallMs from each one taken, and then it runs on",
    async run(context) {
      const { sink } = await open(
        context,
        "stall",
        async (served) => {
          await respond(served, ...numbered("r", 10));
          await aborted(served.context.signal);
        },
        { serve: { respondExtendsMs: 1, stallMs: LONG_MS } },
      );
      const timeoutMs = context.unhurried(300);
      const stallMs = timeoutMs + 1_200;
      const options = { timeoutMs, stallMs, window: 2, allowKeepAlive: false };
      const stream = call(sink, request(), options);
      await next(context, stream, 1);
      await context.window(timeoutMs + 30, "longer than the timeout, shorter than the stall");
      const watch = new Stopwatch();
      assert.equal((await next(context, stream, 1)).length, 1, "the call went on while responses waited");
      await fails(context, stream, "TIMEOUT");
      assert.ok(watch.ms >= stallMs - CLOCK_GRAIN_MS, "the deadline did not stand still");
      await readFailure(context, stream, "TIMEOUT");
    },
  },
  {
    id: "R-67",
    sentence: "a server that waits for credit longer than its stallMs lets the deadline run on, and frees the slot",
    async run(context) {
      const {
        sink,
        server,
        service: own,
      } = await open(context, "server-stall", streaming(10), {
        serve: { stallMs: 200, respondExtendsMs: 1 },
      });
      const timeoutMs = context.unhurried(300);
      const stream = call(sink, request(), { timeoutMs, window: 2, stallMs: LONG_MS, allowKeepAlive: false });
      const { context: caller } = await own.calls.at(0);
      await context.until(
        () => caller.signal.aborted && server.inFlight === 0,
        () => `the server to give the call up; in flight ${server.inFlight}`,
      );
      await fails(context, stream, "TIMEOUT");
      const { texts } = await readFailure(context, stream, "TIMEOUT");
      assert.deepEqual(texts, ["r-0", "r-1"]);
      await goesOn(context, sink);
    },
  },
  {
    id: "R-68",
    sentence: "what is taken after the end costs nothing: no credit is sent for a call that is over",
    needs: ["frames"],
    async run(context) {
      const name = context.name("credit-after");
      await context.serve(await context.node(), name, service(context, streaming(50)));
      const client = tappedNode(context);
      const stream = start(client.messaging.requestSink(name), "request", { window: 60 });
      await context.soon(stream.ended, "ended");
      await readWell(context, stream);
      const credits = client.published.items.filter(({ message }) => message.type === FRAME.credit);
      assert.equal(credits.length, 0, `${client.published}`);
    },
  },
];
