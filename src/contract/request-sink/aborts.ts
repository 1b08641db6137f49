import assert from "node:assert";
import { FRAME, FRAME_HEADER } from "../../driver/index.js";
import { callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import {
  echo,
  goesOn,
  KEEP_ALIVE_MS,
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
import { tappedNode } from "./tapped-node.js";
import { controlBroadcast, firstSignal, wireServer } from "./wire-peers.js";

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
      const answers: { readonly goesOn: boolean; readonly at: number }[] = [];
      const { service: own, sink } = await open(context, "abort-blocked", async (served) => {
        await respond(served, "one");
        answers.push({ goesOn: await respond(served, "two"), at: performance.now() });
      });
      const stream = start(sink, "request", { window: 2 });
      await own.calls.count(1);
      await context.window(100, "the second respond waits by then");
      assert.equal(answers.length, 0, "respond did not wait for credit");
      const at = performance.now();
      stream.abort();
      await context.until(
        () => answers.length === 1,
        () => "the respond that waits to be woken",
      );
      assert.equal(answers[0]?.goesOn, false);
      const ms = (answers[0]?.at ?? 0) - at;
      assert.ok(ms < context.recoveryMs / 5, `woken after ${Math.round(ms)} ms`);
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
      await context.serve(await context.node(), name, own, { keepAliveMs: KEEP_ALIVE_MS });
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
      gate.open();
      const reason = await told(context, served, context.recoveryMs);
      assert.ok(MessagingError.is(reason));
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
