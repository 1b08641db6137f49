import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { call, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
import {
  echo,
  goesOn,
  KEEP_ALIVE_MS,
  LIFE_MS,
  LONG_MS,
  next,
  ONE_EACH,
  open,
  readFailure,
  readWell,
  request,
  respond,
  service,
  start,
  told,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";
import { firstSignal, numberOf, wireClient, wireServer } from "./wire-peers.js";

/** Deadlines, which are the caller's patience, and life, which is the server's pulse. */
export const timeCases: readonly ContractCase[] = [
  {
    id: "R-70",
    sentence: "at the deadline the caller gets TIMEOUT, not earlier and not much later, and the service is told",
    async run(context) {
      const { service: own, sink } = await open(context, "deadline", ({ context: caller }) => aborted(caller.signal));
      const started = performance.now();
      const stream = call(sink, request(), { timeoutMs: 400 });
      await readFailure(context, stream, "TIMEOUT");
      const ms = performance.now() - started;
      assert.ok(ms >= 400 - CLOCK_GRAIN_MS, `after ${ms} ms`);
      assert.ok(ms < 400 + context.recoveryMs / 4, `after ${ms} ms`);
      await told(context, await own.calls.at(0));
    },
  },
  {
    id: "R-71",
    sentence: "a handler that hangs loses its call and its slot at the deadline: the next request is served",
    async run(context) {
      const gate = context.gate();
      const { sink, server } = await open(
        context,
        "hung",
        (served, index) => (served.text === "hang" ? gate.wait() : echo(served, index)),
        { serve: { concurrency: ONE_EACH } },
      );
      const hung = call(sink, request("hang"), { timeoutMs: 400 });
      const waiting = start(sink, "waiting");
      await readFailure(context, hung, "TIMEOUT");
      assert.deepEqual(await readWell(context, waiting), ["waiting"]);
      await context.until(
        () => server.inFlight === 0,
        () => `in flight ${server.inFlight}`,
      );
    },
  },
  {
    id: "R-72",
    sentence: "keepAlive moves the deadline at both ends",
    async run(context) {
      const { sink } = await open(context, "keep-alive", async (served) => {
        assert.equal(served.context.keepAlive(LONG_MS), true);
        await context.window(700, "longer than the timeout");
        await echo(served, 0);
      });
      assert.deepEqual(await readWell(context, call(sink, request("late"), { timeoutMs: 400 })), ["late"]);
    },
  },
  {
    id: "R-73",
    sentence: "keepAlive never shortens: a small one leaves the deadline where it is",
    async run(context) {
      const deadlines: number[] = [];
      const { sink } = await open(context, "never-shortens", async (served) => {
        const { context: caller } = served;
        deadlines.push(caller.deadline);
        assert.equal(caller.keepAlive(10), true);
        assert.equal(caller.keepAlive(0), true);
        deadlines.push(caller.deadline);
        await context.window(200, "longer than what keepAlive asked for");
        await echo(served, 0);
      });
      await readWell(context, call(sink, request(), { timeoutMs: 5_000 }));
      const [before = 0, after = 0] = deadlines;
      assert.ok(after >= before - CLOCK_GRAIN_MS, `moved from ${before} to ${after}`);
    },
  },
  {
    id: "R-74",
    sentence:
      "without allowKeepAlive neither keepAlive nor responses move the deadline; keepAlive only says whether the call is open",
    async run(context) {
      const said: boolean[] = [];
      const { service: own, sink } = await open(context, "fixed", async (served) => {
        const { context: caller } = served;
        said.push(caller.keepAlive(LONG_MS));
        await respond(served, "one");
        await aborted(caller.signal);
        said.push(caller.keepAlive(LONG_MS));
      });
      const started = performance.now();
      const { texts } = await readFailure(
        context,
        call(sink, request(), { timeoutMs: 500, allowKeepAlive: false }),
        "TIMEOUT",
      );
      assert.deepEqual(texts, ["one"]);
      assert.ok(performance.now() - started < 500 + context.recoveryMs / 4);
      assert.equal((await own.calls.at(0)).context.allowKeepAlive, false);
      await context.until(
        () => said.length === 2,
        () => "the handler to be told",
      );
      assert.deepEqual(said, [true, false]);
    },
  },
  {
    id: "R-75",
    sentence: "each response moves the deadline: a stream goes on far beyond the timeout of its call",
    async run(context) {
      const { sink } = await open(context, "responses-extend", async (served) => {
        for (const body of numbered("r", 8)) {
          await respond(served, body);
          await context.window(100, "in all longer than the timeout");
        }
        served.context.end();
      });
      assert.deepEqual(await readWell(context, call(sink, request(), { timeoutMs: 400 })), numbered("r", 8));
    },
  },
  {
    id: "R-76",
    sentence: "the service sees a deadline in the future, by its own clock, as far away as the caller's patience",
    async run(context) {
      let left = 0;
      const { sink } = await open(context, "remaining", async (served) => {
        left = served.context.deadline - Date.now();
        await echo(served, 0);
      });
      await readWell(context, call(sink, request(), { timeoutMs: 20_000 }));
      assert.ok(left > 10_000 && left <= 20_000 + CLOCK_GRAIN_MS, `${left} ms were left`);
    },
  },
  {
    id: "R-77",
    sentence: "timeouts beyond 2^31 ms are neither cut nor over at once",
    async run(context) {
      let left = 0;
      const { sink } = await open(context, "long-timeout", async (served) => {
        left = served.context.deadline - Date.now();
        await context.window(50, "a timer that overflows fires at once");
        await echo(served, 0);
      });
      const timeoutMs = 2 ** 31 + 10_000;
      assert.deepEqual(await readWell(context, call(sink, request("well"), { timeoutMs })), ["well"]);
      assert.ok(left > 2 ** 31, `${left} ms were left`);
    },
  },
  {
    id: "R-78",
    sentence: "a request that waits longer than its timeout is not run any more when a server comes",
    where: { "queue.expiry": true },
    async run(context) {
      const name = context.name("expired");
      const sink = await context.sink(name);
      await readFailure(context, call(sink, request("expired"), { timeoutMs: 250 }), "TIMEOUT");
      const oneWay = callOneWay(sink, request("expired too"), { timeoutMs: 250 });
      await context.soon(oneWay, "callOneWay").catch(() => undefined);
      await context.window(350, "the one-way request has expired by then");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      await goesOn(context, sink);
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["still there?"],
      );
    },
  },
  {
    id: "R-29",
    sentence:
      "where requests do not expire, one that is run too late is over at once: its caller answers that it has given up",
    where: { "queue.expiry": false },
    async run(context) {
      const name = context.name("too-late");
      const sink = await context.sink(name);
      await readFailure(context, call(sink, request("late"), { timeoutMs: 250 }), "TIMEOUT");
      const own = service(context, async (served) => {
        if (served.text !== "late") return echo(served, 0);
        await respond(served, "to whom?");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own);
      await told(context, await own.calls.at(0));
      await goesOn(context, sink);
    },
  },
  {
    id: "R-79",
    sentence: "a handler that is silent for long is still alive: its call goes on",
    async run(context) {
      const { sink } = await open(
        context,
        "silent",
        async (served) => {
          if (served.text === "answered") await respond(served, "one");
          await context.window(LIFE_MS + 300, "longer than three intervals");
          await respond(served, "late");
          served.context.end();
        },
        { serve: { keepAliveMs: KEEP_ALIVE_MS } },
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
      await server.alive(signal, 150, [signal.correlationId ?? "", 1, false]);
      await next(context, stream, 1);
      const started = performance.now();
      await readFailure(context, stream, "UNAVAILABLE");
      const ms = performance.now() - started;
      assert.ok(ms >= 300 && ms < 450 + context.recoveryMs / 4, `noticed after ${ms} ms`);
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
      await server.respond(signal, 1, "one");
      await server.alive(signal, 100, [signal.correlationId ?? "", 1, false]);
      await server.alive(signal, 1_000, [signal.correlationId ?? "", 1, false]);
      await context.window(800, "more than three of the first interval, less than three of the second");
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
      await server.alive(keptSignal, 200, [kept1, 0, false], [droppedSignal.correlationId ?? "", 0, false]);
      const beating = async (): Promise<void> => {
        for (let beat = 0; beat < 12; beat += 1) {
          await server.alive(keptSignal, 200, [kept1, 0, false]);
          await context.window(100, "an interval");
        }
      };
      const beats = beating();
      await readFailure(context, dropped, "UNAVAILABLE");
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
      for (let beat = 0; beat < 6; beat += 1) {
        await server.alive(namedSignal, 100, [namedSignal.correlationId ?? "", 0, false]);
        await context.window(100, "an interval");
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
      await context.serve(await context.node(), name, own, { keepAliveMs: KEEP_ALIVE_MS });
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
      assert.equal(intervalMs, KEEP_ALIVE_MS);
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
  {
    id: "R-89",
    sentence: "a KeepAlive frame carries how long from now, and moves the caller's deadline by that alone",
    needs: ["frames"],
    async run(context) {
      const name = context.name("keep-alive-frame");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const stream = call(sink, request(), { timeoutMs: 300 });
      const signal = await firstSignal(server);
      const timeoutMs = numberOf(signal, FRAME_HEADER.timeoutMs);
      assert.ok(timeoutMs > 200 && timeoutMs <= 300, `${timeoutMs} ms on the wire`);
      await server.send(signal, { type: FRAME.keepAlive, headers: { [FRAME_HEADER.extendMs]: "800" } });
      const started = performance.now();
      const { error } = await readFailure(context, stream, "TIMEOUT");
      const ms = performance.now() - started;
      assert.ok(MessagingError.is(error) && ms >= 700 && ms < 800 + context.recoveryMs / 4, `after ${ms} ms`);
    },
  },
];
