import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { call } from "../../index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import {
  echo,
  goesOn,
  keepAliveMs,
  lifeMs,
  next,
  open,
  readFailure,
  readWell,
  request,
  respond,
  service,
  start,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, wireClient, wireServer } from "./wire-peers.js";

/** The pulse of servers, and what its absence means. */
export const lifeCases: readonly ContractCase[] = [
  {
    id: "R-79",
    sentence: "a handler that is silent for long is still alive: its call goes on",
    async run(context) {
      const { sink } = await open(
        context,
        "silent",
        async (served) => {
          if (served.text === "answered") await respond(served, "one");
          await context.window(lifeMs(context) + 300, "longer than three intervals");
          await respond(served, "late");
          served.context.end();
        },
        { serve: { keepAliveMs: keepAliveMs(context) } },
      );
      const streams = [start(sink, "answered"), start(sink, "not answered")];
      const texts = await Promise.all(streams.map((stream) => readWell(context, stream)));
      assert.deepEqual(texts, [["one", "late"], ["late"]]);
    },
  },
  {
    id: "R-80",
    sentence:
      "a call whose server falls silent fails with UNAVAILABLE after three of the intervals that it named, whatever its timeout",
    needs: ["frames"],
    async run(context) {
      const name = context.name("dead-server");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(server);
      await server.respond(signal, 1, "one");
      const intervalMs = context.unhurried(150);
      const watch = new Stopwatch();
      await server.alive(signal, intervalMs, [signal.correlationId ?? "", 1, false]);
      await next(context, stream, 1);
      await readFailure(context, stream, "UNAVAILABLE");
      const { ms, undisturbedMs } = watch;
      assert.ok(ms >= 3 * intervalMs - CLOCK_GRAIN_MS, `noticed after ${ms} ms`);
      assert.ok(undisturbedMs < 3 * intervalMs + context.recoveryMs / 4, `noticed after ${ms} ms`);
    },
  },
  {
    id: "R-81",
    sentence: "the interval that the last Alive carried is the one that counts: a pulse that slows down is waited for",
    needs: ["frames"],
    async run(context) {
      const name = context.name("slow-pulse");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink);
      const signal = await firstSignal(server);
      const intervalMs = context.unhurried(100);
      await server.respond(signal, 1, "one");
      await server.alive(signal, intervalMs, [signal.correlationId ?? "", 1, false]);
      await server.alive(signal, 10 * intervalMs, [signal.correlationId ?? "", 1, false]);
      await context.window(5 * intervalMs, "more than three of the first interval, less than three of the second");
      await server.respond(signal, 2, "two");
      await server.finish(signal, 2);
      assert.deepEqual(await readWell(context, stream), ["one", "two"]);
    },
  },
  {
    id: "R-82",
    sentence: "each Alive that names a call keeps it; one that names others does not",
    needs: ["frames"],
    async run(context) {
      const name = context.name("pulse");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const kept = start(sink, "kept");
      const keptSignal = await firstSignal(server);
      const dropped = start(sink, "dropped");
      const droppedSignal = await firstSignal(server, 1);
      const kept1 = keptSignal.correlationId ?? "";
      const intervalMs = context.unhurried(200);
      await server.alive(keptSignal, intervalMs, [kept1, 0, false], [droppedSignal.correlationId ?? "", 0, false]);
      let isDropped = false;
      const beating = async (): Promise<void> => {
        while (!isDropped) {
          await server.alive(keptSignal, intervalMs, [kept1, 0, false]);
          await context.window(intervalMs / 2, "the time between two of them");
        }
      };
      const beats = beating();
      await readFailure(context, dropped, "UNAVAILABLE").finally(() => {
        isDropped = true;
      });
      await beats;
      await server.respond(keptSignal, 1, "well");
      await server.finish(keptSignal, 1);
      assert.deepEqual(await readWell(context, kept), ["well"]);
    },
  },
  {
    id: "R-83",
    sentence:
      "an idempotent call without a response whose server falls silent waits on for another, until its deadline",
    needs: ["frames"],
    async run(context) {
      const name = context.name("moves-on");
      const dying = await wireServer(context, name, { settles: false });
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = start(sink, "again", { idempotent: true });
      const signal = await firstSignal(dying);
      await dying.alive(signal, 100, [signal.correlationId ?? "", 0, false]);
      await context.window(500, "more than three intervals of silence");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await context.soon(dying.connection.close(), "close of the silent server's link");
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), ["again"]);
    },
  },
  {
    id: "R-84",
    sentence: "a call that nobody has answered or named yet is not missed in any Alive: it waits for its deadline",
    needs: ["frames"],
    async run(context) {
      const name = context.name("not-named");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const named = start(sink, "named");
      const namedSignal = await firstSignal(server);
      const stream = start(sink);
      const signal = await firstSignal(server, 1);
      const intervalMs = context.unhurried(100);
      for (let beat = 0; beat < 10; beat += 1) {
        await server.alive(namedSignal, intervalMs, [namedSignal.correlationId ?? "", 0, false]);
        await context.window(intervalMs / 2, "in all, more than three intervals");
      }
      await server.respond(signal, 1, "one");
      await server.finish(signal, 1);
      assert.deepEqual(await readWell(context, stream), ["one"]);
      await server.finish(namedSignal, 0);
      assert.deepEqual(await readWell(context, named), []);
    },
  },
  {
    id: "R-85",
    sentence:
      "a server tells each client in one Alive an interval which calls it runs, how far they are and which wait for credit",
    needs: ["frames"],
    async run(context) {
      const name = context.name("alive");
      const own = service(context, async (served) => {
        await respond(served, ...numbered("r", served.text === "blocked" ? 10 : 1));
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: keepAliveMs(context) });
      const client = await wireClient(context, name);
      const blocked = await client.signal("blocked", { headers: { [FRAME_HEADER.window]: "3" } });
      const free = await client.signal("free");
      await own.calls.count(2);
      const known = client.all(FRAME.alive).length;
      await context.until(
        () => client.all(FRAME.alive).length >= known + 3,
        () => `three Alive frames; ${client.frames}`,
      );
      const last = client.all(FRAME.alive).at(-1);
      const { intervalMs, calls } = JSON.parse(Buffer.from(last?.body ?? []).toString()) as {
        intervalMs: number;
        calls: (readonly [string, number, boolean])[];
      };
      assert.equal(intervalMs, keepAliveMs(context));
      const byId = new Map(calls.map((entry) => [entry[0], entry]));
      assert.deepEqual([...byId.keys()].sort(), [blocked, free].sort());
      assert.deepEqual(byId.get(blocked), [blocked, 3, true]);
      assert.deepEqual(byId.get(free), [free, 1, false]);
    },
  },
  {
    id: "R-86",
    sentence: "no clock is compared with another machine's: a request from an hour ago, or ahead, is served",
    needs: ["frames"],
    async run(context) {
      const name = context.name("skew");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      const client = await wireClient(context, name);
      for (const skewMs of [-3_600_000, 3_600_000]) {
        const call = await client.signal("skewed", {
          headers: { [FRAME_HEADER.timestamp]: String(Date.now() + skewMs), [FRAME_HEADER.timeoutMs]: "5000" },
        });
        await client.frames.find(
          (frame) => frame.correlationId === call && frame.type === FRAME.end,
          `the end of a call ${skewMs} ms off`,
        );
      }
      assert.equal(own.calls.items.length, 2);
    },
  },
  {
    id: "R-87",
    sentence: "after a TIMEOUT without any sign of life the client asks its own inbox, and keeps one that answers",
    needs: ["frames"],
    async run(context) {
      const name = context.name("probe");
      const client = tappedNode(context);
      const nobody = client.messaging.requestSink(context.name("nobody"));
      const own = service(context, async (served) => {
        await respond(served, "one");
        await context.window(900, "the other call has timed out by then");
        await respond(served, "two");
        served.context.end();
      });
      await context.serve(await context.node(), name, own);
      const other = start(client.messaging.requestSink(name));
      await next(context, other, 1);
      await readFailure(context, call(nobody, request(), { timeoutMs: 300 }), "TIMEOUT");
      assert.deepEqual(await readWell(context, other), ["two"]);
      assert.equal(client.inboxes, 1, "a healthy inbox was replaced");
    },
  },
  {
    id: "R-88",
    sentence: "an inbox that does not answer is replaced: the next call is answered in a new one",
    needs: ["frames"],
    async run(context) {
      const name = context.name("deaf");
      await context.serve(await context.node(), name, service(context, echo));
      let isDeaf = true;
      const client = tappedNode(context, { onInbox: (message) => (isDeaf ? [] : [message]) });
      const sink = client.messaging.requestSink(name);
      await readFailure(context, call(sink, request(), { timeoutMs: 200 }), "TIMEOUT");
      await context.until(
        () => client.inboxes >= 2,
        () => "a new inbox",
        context.recoveryMs,
      );
      isDeaf = false;
      await goesOn(context, sink);
    },
  },
];
