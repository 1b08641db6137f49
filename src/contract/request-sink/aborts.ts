import assert from "node:assert";
import { callOneWay } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import {
  echo,
  goesOn,
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
  streaming,
  told,
} from "./steps.js";

/** Giving a call up: before, during and after. */
export const abortCases: readonly ContractCase[] = [
  {
    id: "R-30",
    sentence: "leaving the response loop early aborts the call: the service's signal aborts, and its respond is false",
    async run(context) {
      const answers: unknown[] = [];
      const { service: own, sink } = await open(context, "leave", async (served) => {
        await respond(served, "one", "two", "three");
        await aborted(served.context.signal);
        answers.push(await respond(served, "late"), served.context.keepAlive(1_000));
      });
      const stream = start(sink);
      for await (const _ of stream) break;
      await told(context, await own.calls.at(0));
      await context.until(
        () => answers.length === 2,
        () => "respond after the abort to settle",
      );
      assert.deepEqual(answers, [false, false]);
    },
  },
  {
    id: "R-31",
    sentence: "abort ends the stream with ABORTED, drops what is unread, and calls the service's abort with the callId",
    async run(context) {
      const { service: own, sink } = await open(context, "abort", async (served) => {
        await respond(served, "one", "two", "three");
        await aborted(served.context.signal);
      });
      const stream = start(sink, "request", {}, { callId: "call-1" });
      await next(context, stream, 1);
      stream.abort();
      const { texts } = await readFailure(context, stream, "ABORTED");
      assert.deepEqual(texts, []);
      await told(context, await own.calls.at(0));
      assert.equal(await own.aborts.at(0), "call-1");
    },
  },
  {
    id: "R-32",
    sentence: "an abort before the first response reaches the service that runs the call",
    async run(context) {
      const {
        name,
        service: own,
        sink,
      } = await open(context, "abort-early", ({ context: caller }) => aborted(caller.signal));
      // Others that serve the name hear it too, and mind it not.
      const other = service(context, echo);
      const server = await context.serve(await context.node(), name, other, { concurrency: ONE_EACH });
      for (let round = 0; own.calls.items.length === 0; round += 1) {
        assert.ok(round < 50, "no request of fifty came to the first server");
        const stream = start(sink);
        await context.until(
          () => own.calls.items.length + other.calls.items.length === round + 1,
          () => "the request to arrive",
        );
        stream.abort();
        await readFailure(context, stream, "ABORTED");
      }
      await told(context, await own.calls.at(0));
      assert.equal(server.state, "running");
    },
  },
  {
    id: "R-33",
    sentence: "the caller's own signal aborts the call, at once if it has aborted already",
    async run(context) {
      const { service: own, sink } = await open(context, "abort-signal", async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      const own1 = new AbortController();
      const stream = start(sink, "request", { signal: own1.signal });
      await next(context, stream, 1);
      own1.abort(new Error("enough"));
      const { error } = await readFailure(context, stream, "ABORTED");
      assert.equal((error.cause as Error | undefined)?.message, "enough");
      await told(context, await own.calls.at(0));
      await readFailure(context, start(sink, "never", { signal: AbortSignal.abort() }), "ABORTED");
      const marker = start(sink, "marker");
      await next(context, marker, 1);
      marker.abort();
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["request", "marker"],
      );
    },
  },
  {
    id: "R-34",
    sentence: "the sink's abort gives up the live call with that callId; one that it does not know does nothing",
    async run(context) {
      const { service: own, sink } = await open(context, "abort-id", async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      const stream = start(sink, "request", {}, { callId: "call-1" });
      await next(context, stream, 1);
      sink.abort("another");
      sink.abort("");
      assert.equal((await own.calls.at(0)).context.signal.aborted, false);
      sink.abort("call-1");
      await readFailure(context, stream, "ABORTED");
      await told(context, await own.calls.at(0));
      sink.abort("call-1");
    },
  },
  {
    id: "R-35",
    sentence: "an abort after the end does nothing, at either end",
    async run(context) {
      const { service: own, sink } = await open(context, "abort-late", streaming(3));
      const stream = start(sink, "request", {}, { callId: "call-1" });
      assert.equal((await readWell(context, stream)).length, 3);
      stream.abort();
      sink.abort("call-1");
      await context.soon(stream.ended, "ended");
      await goesOn(context, sink);
      const [first] = own.calls.items;
      assert.equal(first?.context.signal.aborted, false);
      assert.equal(own.aborts.items.length, 0);
    },
  },
  {
    id: "R-36",
    sentence: "an abort wakes a respond that waits for credit, with false, at once",
    async run(context) {
      const answers: { readonly goesOn: boolean; readonly wokenMs: number | undefined }[] = [];
      let watch: Stopwatch | undefined;
      const { service: own, sink } = await open(context, "abort-blocked", async (served) => {
        await respond(served, "one");
        answers.push({ goesOn: await respond(served, "two"), wokenMs: watch?.undisturbedMs });
      });
      const stream = start(sink, "request", { window: 2 });
      await own.calls.count(1);
      await context.window(100, "the second respond waits by then");
      assert.equal(answers.length, 0, "respond did not wait for credit");
      watch = new Stopwatch();
      stream.abort();
      await context.until(
        () => answers.length === 1,
        () => "the respond that waits to be woken",
      );
      assert.equal(answers[0]?.goesOn, false);
      const { wokenMs = 0 } = answers[0] ?? {};
      assert.ok(wokenMs < context.recoveryMs / 5, `woken after ${Math.round(wokenMs)} ms`);
    },
  },
  {
    id: "R-37",
    sentence: "an aborted call lets go of its slot, also when its handler does not return",
    async run(context) {
      const gate = context.gate();
      const { service: own, sink } = await open(
        context,
        "abort-slot",
        (served) => (served.text === "hang" ? gate.wait() : streaming(1)(served, 0)),
        { serve: { concurrency: ONE_EACH } },
      );
      for (let round = 1; round <= 3; round += 1) {
        const stream = start(sink, "hang");
        await own.calls.count(2 * round - 1);
        stream.abort();
        await goesOn(context, sink);
      }
    },
  },
  {
    id: "R-38",
    sentence: "a request that waits in the queue and is aborted is not started",
    async run(context) {
      const gate = context.gate();
      const { service: own, sink } = await open(
        context,
        "abort-waiting",
        async (served) => {
          if (served.text === "first") await gate.wait();
          await echo(served, 0);
        },
        { serve: { concurrency: ONE_EACH } },
      );
      const first = start(sink, "first");
      await own.calls.count(1);
      const waiting = start(sink, "given up");
      // The queue keeps its order, so this one is behind.
      const last = start(sink, "last");
      await context.window(100, "the requests are in the queue by then");
      waiting.abort();
      await readFailure(context, waiting, "ABORTED");
      await context.window(100, "the abort has reached the node by then");
      gate.open();
      assert.deepEqual(await readWell(context, first), ["first"]);
      assert.deepEqual(await readWell(context, last), ["last"]);
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["first", "last"],
      );
    },
  },
  {
    id: "R-39",
    sentence: "aborts under load leak no credit and no slot: those who read on get everything",
    async run(context) {
      const { sink, server } = await open(context, "abort-load", streaming(60), {
        serve: { concurrency: { standard: 8 } },
      });
      const calls = Array.from({ length: 60 }, async (_, index) => {
        const stream = start(sink, `call-${index}`, { window: 4 });
        if (index % 2 === 0) return (await readWell(context, stream, context.recoveryMs)).length;
        await next(context, stream, index % 7);
        stream.abort();
        return 60;
      });
      const counts = await context.soon(Promise.all(calls), "sixty calls", context.recoveryMs);
      assert.deepEqual(new Set(counts), new Set([60]));
      await context.until(
        () => server.inFlight === 0,
        () => `no call to be left; in flight ${server.inFlight}`,
      );
    },
  },
  {
    id: "R-46",
    sentence: "a one-way call is not aborted by anything that its caller does once it is handed over",
    async run(context) {
      const gate = context.gate();
      const { service: own, sink } = await open(context, "one-way-abort", async (served) => {
        await gate.wait();
        served.context.end();
      });
      const giveUp = new AbortController();
      await context.soon(callOneWay(sink, request(), { timeoutMs: LONG_MS, signal: giveUp.signal }), "callOneWay");
      const { context: caller } = await own.calls.at(0);
      giveUp.abort();
      await context.window(100, "an abort would have come by then");
      assert.equal(caller.signal.aborted, false);
      gate.open();
    },
  },
];
