import assert from "node:assert";
import { call, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { text } from "../text.js";
import {
  echo,
  goesOn,
  inTwoParts,
  keepAliveMs,
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
  type Work,
} from "./steps.js";
import { tappedNode } from "./tapped-node.js";

/** What becomes of calls when the server that runs them loses its link, or is lost itself. */
export const lostServerCases: readonly ContractCase[] = [
  {
    id: "R-120",
    sentence: "a server whose link is lost keeps its calls: responses wait for the new link and arrive",
    needs: ["frames"],
    async run(context) {
      const name = context.name("server-link");
      const gate = context.gate();
      const own = service(context, inTwoParts(gate, ["one"], ["two", "three"]));
      const node = tappedNode(context);
      await context.serve(node, name, own, { keepAliveMs: keepAliveMs(context) * 5 });
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
      await context.serve(node, name, own, { keepAliveMs: keepAliveMs(context) });
      const sink = await context.sink(name);
      const stream = start(sink);
      await next(context, stream, 1);
      await context.window(keepAliveMs(context) + 50, "an Alive has come by then");
      isDead = true;
      const watch = new Stopwatch();
      await readFailure(context, stream, "UNAVAILABLE");
      const { ms, undisturbedMs } = watch;
      assert.ok(undisturbedMs < 3 * keepAliveMs(context) + context.recoveryMs / 4, `noticed after ${ms} ms`);
    },
  },
  {
    id: "R-134",
    sentence: "a call moves through a chain of sinks whose middle dies: its caller is told",
    needs: ["frames"],
    async run(context) {
      const serve = { keepAliveMs: keepAliveMs(context), resumeMs: 300 };
      const work: Work = async (served) => {
        await respond(served, "one");
        await aborted(served.context.signal);
      };
      const inner = await open(context, "chain-inner", work, { serve });
      const name = context.name("chain-outer");
      const middle = tappedNode(context);
      await context.serve(middle, name, middle.messaging.requestSink(inner.name), serve);
      const stream = start(await context.sink(name));
      assert.deepEqual(await next(context, stream, 1), ["one"]);
      await context.window(keepAliveMs(context) + 50, "an Alive has come by then");
      await middle.die();
      await readFailure(context, stream, "UNAVAILABLE", context.recoveryMs);
      await told(context, await inner.service.calls.at(0), context.recoveryMs);
    },
  },
  {
    id: "R-190",
    sentence:
      "a frame channel that is lost counts as a lost connection: what it lost fails V4 calls with UNAVAILABLE, and is sent again in V5 calls",
    needs: ["frames"],
    async run(context) {
      const name = context.name("channel-lost");
      const [second, last] = [context.gate(), context.gate()];
      const own = service(context, async (served) => {
        await respond(served, "one");
        await second.wait();
        await respond(served, "two");
        await last.wait();
        await respond(served, "three");
        served.context.end();
      });
      let isChannelLost = false;
      const node = tappedNode(context, {
        onPublish: (message, to) => (isChannelLost && to.kind === "inbox" ? [] : [message]),
      });
      await context.serve(node, name, own, { keepAliveMs: LONG_MS });
      const numbered = start(await context.sink(name), "V5");
      const unnumbered = start(await context.sink(name, { protocolVersion: "V4" }), "V4");
      for (const stream of [numbered, unnumbered]) await next(context, stream, 1);
      isChannelLost = true;
      second.open();
      await context.until(
        () => node.published.items.filter(({ message }) => text(message.body) === "two").length === 2,
        () => `both second responses to be sent; ${node.published}`,
      );
      await node.loseConnections();
      isChannelLost = false;
      last.open();
      assert.deepEqual(await readWell(context, numbered, context.recoveryMs), ["two", "three"]);
      assert.deepEqual((await readFailure(context, unnumbered, "UNAVAILABLE", context.recoveryMs)).texts, []);
      const served = own.calls.items.find((call) => call.text === "V4");
      assert.ok(served !== undefined);
      assert.ok(MessagingError.is(await told(context, served), "UNAVAILABLE"));
    },
  },
  {
    id: "R-191",
    sentence: "a frame that cannot be sent fails its own call with UNAVAILABLE, at both ends, and no other",
    needs: ["frames"],
    async run(context) {
      const name = context.name("frame-refused");
      const gate = context.gate();
      const own = service(context, async (served) => {
        await respond(served, "one");
        await gate.wait();
        await respond(served, `${served.text}-two`);
        served.context.end();
      });
      const node = tappedNode(context, {
        onPublish(message) {
          if (text(message.body) !== "refused-two") return [message];
          throw new MessagingError("UNAVAILABLE", "the channel does not take it");
        },
      });
      await context.serve(node, name, own, { keepAliveMs: LONG_MS });
      const sink = await context.sink(name);
      const [refused, other] = [start(sink, "refused"), start(sink, "other")];
      for (const stream of [refused, other]) await next(context, stream, 1);
      gate.open();
      await readFailure(context, refused, "UNAVAILABLE");
      assert.deepEqual(await readWell(context, other), ["other-two"]);
      const served = own.calls.items.find((call) => call.text === "refused");
      assert.ok(served !== undefined);
      assert.ok(MessagingError.is(await told(context, served), "UNAVAILABLE"));
    },
  },
];
