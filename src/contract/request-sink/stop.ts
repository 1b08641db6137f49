import assert from "node:assert";
import { callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered } from "../text.js";
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
  streaming,
  told,
} from "./steps.js";

/** What becomes of calls when either end stops. */
export const stopCases: readonly ContractCase[] = [
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
];
