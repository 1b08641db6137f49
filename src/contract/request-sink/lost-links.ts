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

/** What becomes of calls when their callers lose inbox or link, and when links and brokers are lost for all. */
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
      "a caller whose link is lost, and whose call cannot go on, for nobody has answered or answers have no numbers, is told UNAVAILABLE at once, reads what came before, and its services are told",
    needs: ["dropConnections"],
    async run(context) {
      const name = context.name("link-lost");
      const own = service(context, async (served) => {
        if (served.text === "unnumbered") await respond(served, "one", "two");
        if (served.text.startsWith("un")) await aborted(served.context.signal);
        else await echo(served, 0);
      });
      await context.serve(await context.node(), name, own);
      const sink = await context.sink(name);
      const numberless = await context.sink(name, { protocolVersion: "V4" });
      const unanswered = start(sink, "unanswered");
      const unnumbered = start(numberless, "unnumbered");
      await next(context, unnumbered, 1);
      await own.calls.count(2);
      // What is answered after it has come after the second response.
      await readWell(context, start(numberless, "after it"));
      await context.dropConnections();
      await readFailure(context, unanswered, "UNAVAILABLE", context.recoveryMs);
      const { texts } = await readFailure(context, unnumbered, "UNAVAILABLE", context.recoveryMs);
      assert.deepEqual(texts, ["two"]);
      for (const index of [0, 1]) await told(context, await own.calls.at(index), context.recoveryMs);
      await goesOn(context, sink, context.recoveryMs);
    },
  },
  {
    id: "R-119",
    sentence:
      "an inbox that is lost alone fails the calls that nobody has answered or named with UNAVAILABLE, aborts them at the nodes, and a new one takes its place",
    needs: ["frames"],
    async run(context) {
      const name = context.name("inbox-lost");
      const own = service(context, async (served) => {
        if (served.text !== "hang") return echo(served, 0);
        await aborted(served.context.signal);
      });
      await context.serve(await context.node(), name, own, { keepAliveMs: LONG_MS });
      const client = tappedNode(context);
      const sink = client.messaging.requestSink(name);
      const stream = start(sink, "hang");
      await own.calls.count(1);
      await client.loseInboxes();
      await readFailure(context, stream, "UNAVAILABLE");
      await told(context, await own.calls.at(0));
      await goesOn(context, sink);
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
      const gate = context.gate();
      const { sink, service: own } = await open(context, "restart", async (served) => {
        if (served.text === "hang") await Promise.race([gate.wait(), aborted(served.context.signal)]);
        await echo(served, 0);
      });
      await goesOn(context, sink);
      const stream = start(sink, "hang");
      await own.calls.count(2);
      await context.soon(context.fault("restartBroker")(), "restartBroker", 60_000);
      gate.open();
      // One of which a sign of life has been seen may go on where it was.
      const { texts, error: end } = await read(context, stream, 30_000);
      if (end === undefined) assert.deepEqual(texts, ["hang"]);
      else assert.ok(MessagingError.is(end, "UNAVAILABLE"), `the call failed with ${String(end)}`);
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
];
