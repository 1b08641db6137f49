import assert from "node:assert";
import { FRAME } from "../../driver/index.js";
import { call, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";
import { type CallLedger, callInvariants, checkAll } from "./invariants.js";
import {
  echo,
  goesOn,
  KEEP_ALIVE_MS,
  LONG_MS,
  next,
  open,
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

/** What becomes of calls when frames, inboxes and links are lost, and when either end stops. */
export const lossCases: readonly ContractCase[] = [
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
      "a response that is lost fails its call with DATA_LOSS after all that came before it, never with a clean end",
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
      const { texts } = await readFailure(context, start(sink), "DATA_LOSS");
      assert.deepEqual(texts, numbered("r", 3));
      assert.equal((await readWell(context, start(sink))).length, 10);
    },
  },
  {
    id: "R-113",
    sentence: "a last response that is lost shows at the end: DATA_LOSS",
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
      const { texts } = await readFailure(context, start(client.messaging.requestSink(name)), "DATA_LOSS");
      assert.deepEqual(texts, numbered("r", 4));
    },
  },
  {
    id: "R-114",
    sentence: "a response that is lost while its server goes silent shows in the next Alive: DATA_LOSS",
    needs: ["frames"],
    async run(context) {
      const name = context.name("alive-shows");
      const own = service(context, async (served) => {
        await respond(served, ...numbered("r", 3));
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: KEEP_ALIVE_MS });
      let count = 0;
      const client = tappedNode(context, {
        onInbox(message) {
          count += message.type === FRAME.response ? 1 : 0;
          return message.type === FRAME.response && count === 3 ? [] : [message];
        },
      });
      const { texts } = await readFailure(context, start(client.messaging.requestSink(name)), "DATA_LOSS");
      assert.deepEqual(texts, numbered("r", 2));
      await told(context, await own.calls.at(0));
    },
  },
  {
    id: "R-115",
    sentence: "an end that is lost does not leave its caller waiting for the timeout",
    needs: ["frames"],
    async run(context) {
      const name = context.name("end-lost");
      await context.serve(await context.node(), name, service(context, streaming(3)), { keepAliveMs: KEEP_ALIVE_MS });
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
    id: "R-117",
    sentence: "a request is never sent twice: one that is unconfirmed when the link drops fails with UNAVAILABLE",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unconfirmed");
      const own = service(context, ({ context: caller }) => aborted(caller.signal));
      await context.serve(await context.node(), name, own);
      const client = tappedNode(context, {
        onConfirm: (message) => (message.type === FRAME.signal ? new Promise<void>(() => {}) : Promise.resolve()),
      });
      const stream = start(client.messaging.requestSink(name));
      await own.calls.count(1);
      await client.loseConnections();
      await readFailure(context, stream, "UNAVAILABLE", context.recoveryMs);
      await told(context, await own.calls.at(0), context.recoveryMs);
      const signals = client.published.items.filter(({ message }) => message.type === FRAME.signal);
      assert.equal(signals.length, 1);
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-138",
    sentence: "a one-way request that is unconfirmed when the link drops fails with UNAVAILABLE, and is not sent again",
    needs: ["frames"],
    async run(context) {
      const name = context.name("unconfirmed-one-way");
      const own = service(context, echo);
      await context.serve(await context.node(), name, own);
      const client = tappedNode(context, {
        onConfirm: (message) => (message.type === FRAME.signal ? new Promise<void>(() => {}) : Promise.resolve()),
      });
      const sink = client.messaging.requestSink(name);
      const sending = callOneWay(sink, request("once"), { timeoutMs: LONG_MS });
      sending.catch(() => undefined);
      await own.calls.count(1);
      await client.loseConnections();
      await context.refused(() => sending, "UNAVAILABLE", "callOneWay");
      await context.until(
        () => client.messaging.state === "open",
        () => `a new link; it is ${client.messaging.state}`,
        context.recoveryMs,
      );
      await goesOn(context, await context.sink(name));
      assert.deepEqual(
        own.calls.items.map((served) => served.text),
        ["once", "still there?"],
      );
    },
  },
  {
    id: "R-118",
    sentence:
      "a caller whose link is lost is told UNAVAILABLE at once, reads what came before, and its services are told",
    needs: ["dropConnections"],
    async run(context) {
      const { service: own, sink } = await open(context, "link-lost", async (served) => {
        if (served.text !== "hang") return echo(served, 0);
        await respond(served, "one", "two");
        await aborted(served.context.signal);
      });
      const stream = start(sink, "hang");
      await next(context, stream, 1);
      await own.calls.count(1);
      await context.window(50, "the second response has come by then");
      await context.dropConnections();
      const { texts } = await readFailure(context, stream, "UNAVAILABLE", context.recoveryMs);
      assert.deepEqual(texts, ["two"]);
      await told(context, await own.calls.at(0), context.recoveryMs);
      await goesOn(context, sink, context.recoveryMs);
    },
  },
  {
    id: "R-119",
    sentence:
      "an inbox that is lost alone fails its calls with UNAVAILABLE, aborts them at the nodes, and a new one takes its place",
    needs: ["frames"],
    async run(context) {
      const name = context.name("inbox-lost");
      const own = service(context, async (served) => {
        if (served.text !== "hang") return echo(served, 0);
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own);
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      const stream = start(sink, "hang");
      await next(context, stream, 1);
      await client.loseInboxes();
      await readFailure(context, stream, "UNAVAILABLE");
      await told(context, await own.calls.at(0));
      await goesOn(context, sink);
    },
  },
  {
    id: "R-120",
    sentence: "a server whose link is lost keeps its calls: responses wait for the new link and arrive",
    needs: ["frames"],
    async run(context) {
      const name = context.name("server-link");
      const gate = context.gate();
      const own = service(context, async (served) => {
        await respond(served, "one");
        await gate.wait();
        await respond(served, "two", "three");
        served.context.end();
      });
      const node = tappedNode(context);
      await context.serve(node, name, own, { keepAliveMs: KEEP_ALIVE_MS * 5 });
      const stream = start(await context.sink(name));
      await next(context, stream, 1);
      await node.loseConnections();
      gate.open();
      assert.deepEqual(await readWell(context, stream, context.recoveryMs), ["two", "three"]);
      assert.equal(own.calls.items.length, 1, "the handler ran twice");
    },
  },
  {
    id: "R-121",
    sentence:
      "a node that still runs a call whose request comes to it again adopts it: the handler runs once, for idempotent calls too",
    needs: ["frames"],
    async run(context) {
      const name = context.name("adopts");
      const gate = context.gate();
      const own = service(context, async (served) => {
        await gate.wait();
        await echo(served, 0);
      });
      const node = tappedNode(context);
      // Room for what comes again: a slot that is taken is not offered to the broker.
      const server = await context.serve(node, name, own, { concurrency: { expedite: 1, standard: 2, bulk: 2 } });
      const sink = await context.sink(name);
      const streams = [start(sink, "plain", { priority: "bulk" }), start(sink, "again", { idempotent: true })];
      await own.calls.count(2);
      await node.loseConnections();
      await context.until(
        () => server.state === "running",
        () => `the server to come back; it is ${server.state}`,
        context.recoveryMs,
      );
      await context.window(100, "the requests have come again by then");
      gate.open();
      const texts = await Promise.all(streams.map((stream) => readWell(context, stream, context.recoveryMs)));
      assert.deepEqual(texts, [["plain"], ["again"]]);
      assert.equal(own.calls.items.length, 2, `${own.calls}`);
    },
  },
  {
    id: "R-122",
    sentence: "a server comes back by itself after each lost link",
    needs: ["dropConnections"],
    async run(context) {
      const { server, sink } = await open(context, "comes-back", echo);
      for (let round = 0; round < 2; round += 1) {
        await goesOn(context, sink, context.recoveryMs);
        await context.dropConnections();
        const deadline = performance.now() + 2 * context.recoveryMs;
        for (;;) {
          const { error } = await read(context, call(sink, request(), { timeoutMs: 1_000 }), context.recoveryMs);
          if (error === undefined) break;
          await context.window(20, "whoever tries again gives the link time to come back");
          assert.ok(performance.now() < deadline, `no call is answered any more: ${String(error)}`);
        }
      }
      // A lane may be served before all three are.
      await context.until(
        () => server.state === "running",
        () => `the server to be running again; it is ${server.state}`,
        context.recoveryMs,
      );
    },
  },
  {
    id: "R-123",
    sentence:
      "links that are lost amid a hundred calls: each ends once, none is run twice, and a clean end is complete",
    needs: ["dropConnections"],
    async run(context) {
      const starts = new Map<string, number>();
      const { sink } = await open(
        context,
        "amid",
        async (served) => {
          starts.set(served.text, (starts.get(served.text) ?? 0) + 1);
          await respond(served, ...numbered(served.text, 20));
          served.context.end();
        },
        { serve: { concurrency: { standard: 10 } } },
      );
      const ledgers: CallLedger[] = [];
      const calls = numbered("call", 100).map(async (body, index) => {
        const stream = start(sink, body, { window: 5, timeoutMs: 8_000 });
        let ends = 0;
        const ended = stream.ended.then(
          () => (ends += 1),
          () => (ends += 1),
        );
        const { texts, error } = await read(context, stream, 2 * context.recoveryMs);
        await ended;
        ledgers.push({
          id: body,
          isIdempotent: false,
          starts: starts.get(body) ?? 0,
          ends,
          errorCode: error === undefined ? undefined : MessagingError.is(error) ? error.code : String(error),
          sent: numbered(body, 20),
          read: texts,
        });
        if (index === 20) await context.dropConnections();
      });
      await Promise.all(calls);
      for (const ledger of ledgers) checkAll(callInvariants, ledger);
      const codes = new Set(ledgers.map(({ errorCode }) => errorCode));
      for (const code of codes) {
        assert.ok([undefined, "UNAVAILABLE", "DATA_LOSS"].includes(code), `a call failed with ${code}`);
      }
      await goesOn(context, sink, context.recoveryMs);
    },
  },
  {
    id: "R-124",
    sentence: "a broker that starts anew leaves no call waiting, and servers and callers come back",
    needs: ["restartBroker"],
    limitMs: 120_000,
    async run(context) {
      const { sink } = await open(context, "restart", (served) =>
        served.text === "hang" ? aborted(served.context.signal) : echo(served, 0),
      );
      await goesOn(context, sink);
      const stream = start(sink, "hang");
      await context.soon(context.fault("restartBroker")(), "restartBroker", 60_000);
      await readFailure(context, stream, "UNAVAILABLE", 60_000);
      const deadline = performance.now() + 30_000;
      for (;;) {
        const { error } = await read(context, call(sink, request(), { timeoutMs: 2_000 }), 30_000);
        if (error === undefined) break;
        assert.ok(performance.now() < deadline, `no call is answered any more: ${String(error)}`);
      }
    },
  },
  {
    id: "R-136",
    sentence: "links that are lost while a server or a call is being set up delay or fail it; a server then runs",
    needs: ["dropConnections"],
    async run(context) {
      const name = context.name("set-up");
      const nodes = [await context.node(), await context.node()];
      await Promise.all(nodes.map(({ messaging }) => context.soon(messaging.open(), "open")));
      const serving = nodes[0]?.messaging.serve(name, service(context, echo)) ?? Promise.reject(new Error("no node"));
      serving.catch(() => undefined);
      const stream = start(await context.sink(name), "during", { timeoutMs: 3_000 });
      await context.dropConnections();
      const { texts, error } = await read(context, stream, context.recoveryMs);
      assert.ok(error === undefined ? texts.length === 1 : MessagingError.is(error), String(error));
      const server = await context.soon(serving, "serve", context.recoveryMs);
      await context.until(
        () => server.state === "running",
        () => `the server to run; it is ${server.state}`,
        context.recoveryMs,
      );
      await goesOn(context, await context.sink(name), context.recoveryMs);
    },
  },
  {
    id: "R-137",
    sentence: "a drain amid a lost link ends: its calls are over, and close settles within drainMs",
    needs: ["dropConnections"],
    async run(context) {
      const {
        server,
        sink,
        service: own,
      } = await open(context, "dying-drain", async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      const stream = start(sink);
      await next(context, stream, 1);
      const closing = server.close({ drainMs: 150 });
      await context.dropConnections();
      await context.soon(closing, "close", context.recoveryMs);
      assert.equal(server.state, "closed");
      await told(context, await own.calls.at(0));
      const { error } = await read(context, stream, context.recoveryMs);
      assert.ok(MessagingError.is(error, "UNAVAILABLE"), String(error));
    },
  },
  {
    id: "R-125",
    sentence:
      "a server that closes lets calls finish, with credit and aborts still open to them, and takes no new ones",
    async run(context) {
      const {
        server,
        sink,
        name,
        service: own,
      } = await open(context, "drain", (served, index) =>
        served.text === "hang" ? aborted(served.context.signal) : streaming(60)(served, index),
      );
      const stream = start(sink, "request", { window: 4 });
      const hang = start(sink, "hang");
      await next(context, stream, 2);
      await own.calls.count(2);
      const closing = server.close({ drainMs: 10_000 });
      assert.equal(server.state, "closing");
      const other = service(context, echo);
      await context.serve(await context.node(), name, other);
      const later = start(sink, "later");
      assert.deepEqual(await readWell(context, later), ["later"]);
      assert.equal(other.calls.items.length, 1, "the closing server took it");
      hang.abort();
      assert.equal((await readWell(context, stream)).length, 58);
      await context.soon(closing, "close");
      assert.equal(server.state, "closed");
      assert.equal(server.inFlight, 0);
    },
  },
  {
    id: "R-126",
    sentence:
      "when drainMs is over the service's signals abort, and callers get UNAVAILABLE, also of handlers that never return",
    async run(context) {
      const gate = context.gate();
      const {
        server,
        sink,
        service: own,
      } = await open(context, "drain-over", async (served) => {
        await respond(served, "one");
        await gate.wait();
      });
      const stream = start(sink);
      await next(context, stream, 1);
      const started = performance.now();
      const closing = server.close({ drainMs: 200 });
      await readFailure(context, stream, "UNAVAILABLE");
      await context.soon(closing, "close");
      assert.ok(performance.now() - started >= 200 - 5, "before drainMs were over");
      const { context: caller } = await own.calls.at(0);
      await told(context, await own.calls.at(0));
      assert.equal(caller.keepAlive(1_000), false);
      assert.equal(await context.soon(caller.respond({ body: bytes("late") }), "respond"), false);
    },
  },
  {
    id: "R-127",
    sentence: "a close wakes a respond that waits for credit, with false, when drainMs are over",
    async run(context) {
      const answers: boolean[] = [];
      const { server, sink } = await open(context, "drain-blocked", async (served) => {
        answers.push(await respond(served, "one", "two", "three"));
      });
      const stream = start(sink, "request", { window: 2 });
      await next(context, stream, 1);
      await context.soon(server.close({ drainMs: 100 }), "close");
      await context.until(
        () => answers.length === 1,
        () => "the respond that waits to be woken",
      );
      assert.deepEqual(answers, [false]);
      await readFailure(context, stream, "UNAVAILABLE");
    },
  },
  {
    id: "R-128",
    sentence: "servers that close under load lose no request: what was not started is served by another",
    async run(context) {
      const name = context.name("rolling");
      const sink = await context.sink(name);
      const started = new Map<string, number>();
      const work = async (served: Parameters<typeof echo>[0]): Promise<void> => {
        started.set(served.text, (started.get(served.text) ?? 0) + 1);
        await context.window(2, "the service works");
        await echo(served, 0);
      };
      const serve = async () =>
        context.serve(await context.node(), name, service(context, work), { concurrency: { standard: 3 } });
      let server = await serve();
      const bodies = numbered("c", 90);
      const calls = bodies.map((body) => readWell(context, start(sink, body), 2 * context.recoveryMs));
      const all = Promise.all(calls);
      all.catch(() => undefined);
      for (let round = 0; round < 3; round += 1) {
        const successor = await serve();
        await context.soon(server.close({ drainMs: 5_000 }), "close of a server under load");
        server = successor;
      }
      assert.deepEqual(
        await all,
        bodies.map((body) => [body]),
      );
      assert.deepEqual(new Set(started.values()), new Set([1]));
    },
  },
  {
    id: "R-129",
    sentence: "close of a server is one close however often it is asked for, and closed resolves with nothing",
    async run(context) {
      const { server, sink } = await open(context, "close-twice", echo);
      await goesOn(context, sink);
      await context.soon(Promise.all([server.close(), server.close()]), "two closes");
      await context.soon(server.close(), "a third close");
      assert.equal(await context.soon(server.closed, "closed"), undefined);
      assert.equal(server.state, "closed");
    },
  },
  {
    id: "R-130",
    sentence:
      "a client that closes fails its pending calls with CLOSED, tells their services, and refuses new ones with CLOSED",
    needs: ["frames"],
    async run(context) {
      const name = context.name("client-closes");
      const own = service(context, async (served) => {
        if (served.text === "answered") await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own);
      const { messaging } = await context.node();
      const sink = messaging.requestSink(name);
      const answered = start(sink, "answered");
      await next(context, answered, 1);
      const waiting = start(sink, "waiting");
      await own.calls.count(2);
      await context.soon(messaging.close({ drainMs: 0 }), "close of the client");
      for (const stream of [answered, waiting]) await readFailure(context, stream, "CLOSED");
      for (const served of own.calls.items) await told(context, served);
      await readFailure(context, start(sink), "CLOSED");
      await context.refused(() => callOneWay(sink, request(), { timeoutMs: LONG_MS }), "CLOSED", "callOneWay");
      await context.refused(() => messaging.serve(name, own), "CLOSED", "serve");
    },
  },
  {
    id: "R-131",
    sentence: "a node that closes drains the servers that it has, as if each was closed",
    async run(context) {
      const {
        node,
        server,
        sink,
        service: own,
      } = await open(context, "node-closes", async (served) => {
        await context.window(150, "the service works");
        await echo(served, 0);
      });
      const stream = start(sink, "last");
      await own.calls.count(1);
      await context.soon(node.messaging.close({ drainMs: 5_000 }), "close of the node");
      assert.deepEqual(await readWell(context, stream), ["last"]);
      assert.equal(server.state, "closed");
    },
  },
  {
    id: "R-132",
    sentence: "serve gives up when its signal has aborted, and closes when it aborts later",
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("serve-signal");
      const aborting = AbortSignal.abort();
      await context.refused(
        () => messaging.serve(name, service(context, echo), { signal: aborting }),
        "ABORTED",
        "serve with an aborted signal",
      );
      const controller = new AbortController();
      const server = await context.serve({ messaging }, name, service(context, echo), { signal: controller.signal });
      await goesOn(context, await context.sink(name));
      controller.abort();
      await context.soon(server.closed, "closed");
      assert.equal(server.state, "closed");
    },
  },
  {
    id: "R-133",
    sentence:
      "a server that dies without a word is missed: its calls fail with UNAVAILABLE within three intervals, and others go on",
    needs: ["frames"],
    async run(context) {
      const name = context.name("dies");
      let isDead = false;
      const node = tappedNode(context, { onPublish: (message) => (isDead ? [] : [message]) });
      const own = service(context, async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      await context.serve(node, name, own, { keepAliveMs: KEEP_ALIVE_MS });
      const sink = await context.sink(name);
      const stream = start(sink);
      await next(context, stream, 1);
      await context.window(KEEP_ALIVE_MS + 50, "an Alive has come by then");
      isDead = true;
      const started = performance.now();
      await readFailure(context, stream, "UNAVAILABLE");
      const ms = performance.now() - started;
      assert.ok(ms < 3 * KEEP_ALIVE_MS + context.recoveryMs / 4, `noticed after ${ms} ms`);
    },
  },
  {
    id: "R-134",
    sentence: "a call moves through a chain of sinks whose middle dies: its caller is told",
    needs: ["frames"],
    async run(context) {
      const inner = await open(context, "chain-inner", async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      });
      const name = context.name("chain-outer");
      const middle = tappedNode(context);
      await context.serve(middle, name, middle.messaging.requestSink(inner.name));
      const stream = start(await context.sink(name));
      assert.deepEqual(await next(context, stream, 1), ["one"]);
      await middle.loseConnections();
      await readFailure(context, stream, "UNAVAILABLE", context.recoveryMs);
      await told(context, await inner.service.calls.at(0), context.recoveryMs);
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
      const dead = call(sink, request(), { timeoutMs: 100 });
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
