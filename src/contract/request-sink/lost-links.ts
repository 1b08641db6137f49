import assert from "node:assert";
import { FRAME } from "../../driver/index.js";
import { call, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { numbered } from "../text.js";
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
  told,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";

/** What becomes of calls when inboxes, links, nodes and brokers are lost. */
export const lostCallLinkCases: readonly ContractCase[] = [
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
];
