import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { call, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { CLOCK_GRAIN_MS } from "../probe.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import {
  echo,
  goesOn,
  LONG_MS,
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
import { firstSignal, numberOf, wireServer } from "./wire-peers.js";

/** When a call is over if nothing moves that time, and what moves it. */
export const deadlineCases: readonly ContractCase[] = [
  {
    id: "R-70",
    sentence: "at the deadline the caller gets TIMEOUT, not earlier and not much later, and the service is told",
    async run(context) {
      const { service: own, sink } = await open(context, "deadline", (served, index) =>
        served.text === "hang" ? aborted(served.context.signal) : echo(served, index),
      );
      await goesOn(context, sink);
      const watch = new Stopwatch();
      const stream = call(sink, request("hang"), { timeoutMs: 400 });
      await readFailure(context, stream, "TIMEOUT");
      const { ms, undisturbedMs } = watch;
      assert.ok(ms >= 400 - CLOCK_GRAIN_MS, `after ${ms} ms`);
      assert.ok(undisturbedMs < 400 + context.recoveryMs / 4, `after ${ms} ms`);
      await told(context, await own.calls.at(1));
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
        if (served.text === "late") {
          assert.equal(served.context.keepAlive(LONG_MS), true);
          await context.window(900, "longer than the timeout");
        }
        await echo(served, 0);
      });
      // Connecting is not to come out of its time.
      await goesOn(context, sink);
      assert.deepEqual(await readWell(context, call(sink, request("late"), { timeoutMs: 600 })), ["late"]);
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
      const timeoutMs = context.unhurried(500);
      const watch = new Stopwatch();
      const stream = call(sink, request(), { timeoutMs, allowKeepAlive: false });
      const { texts } = await readFailure(context, stream, "TIMEOUT");
      assert.deepEqual(texts, ["one"]);
      assert.ok(watch.undisturbedMs < timeoutMs + context.recoveryMs / 4);
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
      const timeoutMs = context.unhurried(400);
      const { sink } = await open(context, "responses-extend", async (served) => {
        for (const body of numbered("r", 8)) {
          await respond(served, body);
          await context.window(timeoutMs / 4, "in all longer than the timeout");
        }
        served.context.end();
      });
      await goesOn(context, sink);
      assert.deepEqual(await readWell(context, call(sink, request(), { timeoutMs })), numbered("r", 8));
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
    id: "R-89",
    sentence: "a KeepAlive frame carries how long from now, and moves the caller's deadline by that alone",
    needs: ["frames"],
    async run(context) {
      const name = context.name("keep-alive-frame");
      const server = await wireServer(context, name);
      const sink = (await context.node()).messaging.requestSink(name);
      const timeoutMs = context.unhurried(1_000);
      const extendMs = timeoutMs + 500;
      const stream = call(sink, request(), { timeoutMs });
      const signal = await firstSignal(server);
      const leftMs = numberOf(signal, FRAME_HEADER.timeoutMs);
      assert.ok(leftMs > 0 && leftMs <= timeoutMs, `${leftMs} ms on the wire`);
      await server.send(signal, { type: FRAME.keepAlive, headers: { [FRAME_HEADER.extendMs]: String(extendMs) } });
      const watch = new Stopwatch();
      const { error } = await readFailure(context, stream, "TIMEOUT");
      const { ms, undisturbedMs } = watch;
      assert.ok(
        MessagingError.is(error) && ms >= extendMs - 100 && undisturbedMs < extendMs + context.recoveryMs / 4,
        `after ${ms} ms`,
      );
    },
  },
];
