import assert from "node:assert";
import { callOne, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { numbered } from "../text.js";
import { answersAgain } from "./comeback-steps.js";
import { echo, keepAliveMs, LONG_MS, next, ONE_EACH, open, read, readWell, request, respond, start } from "./steps.js";

const CUT_CODES: readonly unknown[] = ["UNAVAILABLE", "DATA_LOSS", "TIMEOUT"];

function assertCut(error: unknown, what: string): void {
  assert.ok(MessagingError.is(error) && CUT_CODES.includes(error.code), `${what} failed with ${String(error)}`);
}

/** Servers and callers after a fault: all of them, and with all that they had. */
export const comebackCases: readonly ContractCase[] = [
  {
    id: "R-260",
    sentence:
      "links cut twice in quick succession leave no call waiting, of whatever form: each goes on, or fails with an error",
    needs: ["dropConnections"],
    async run(context) {
      const gate = context.gate();
      const { sink, service: own } = await open(
        context,
        "forms",
        async (served) => {
          if (served.text === "hang") await Promise.race([gate.wait(), aborted(served.context.signal)]);
          await echo(served, 0);
        },
        { serve: { concurrency: { standard: 30 } } },
      );
      const options = { timeoutMs: LONG_MS };
      const calls = numbered("call", 8).flatMap(() => [
        read(context, start(sink, "hang"), context.recoveryMs).then(({ error }) => {
          if (error !== undefined) throw error;
        }),
        callOne(sink, request("hang"), options),
      ]);
      const settling = Promise.allSettled(calls);
      await own.calls.count(calls.length);
      const oneWays = Promise.allSettled(
        numbered("one-way", 8).map((body) => callOneWay(sink, request(body), options)),
      );
      await context.dropConnections();
      await context.window(3, "so that the second loss finds another step of the recovery");
      await context.dropConnections();
      // One of which a sign of life has been seen may go on where it was.
      gate.open();
      for (const outcome of await context.soon(settling, "all calls", context.recoveryMs)) {
        if (outcome.status === "rejected") assertCut(outcome.reason, "a call");
      }
      for (const outcome of await context.soon(oneWays, "all one-way calls", context.recoveryMs)) {
        if (outcome.status === "rejected") assertCut(outcome.reason, "a one-way call");
      }
      await answersAgain(context, sink);
    },
  },
  {
    id: "R-261",
    sentence: "a link cut while a caller's first call opens its inbox settles that call; the next ones are answered",
    needs: ["dropConnections"],
    async run(context) {
      const { name } = await open(context, "first", echo);
      for (const gapMs of [0, 1, 3]) {
        const { messaging } = await context.node();
        await context.soon(messaging.open(), "open");
        const sink = messaging.requestSink(name);
        const stream = start(sink, "first", { timeoutMs: 2_000 });
        await context.window(gapMs, "so that the loss finds another step");
        await context.dropConnections();
        const { error } = await read(context, stream, context.recoveryMs);
        if (error !== undefined) assertCut(error, "the first call");
        await answersAgain(context, sink);
      }
    },
  },
  {
    id: "R-262",
    sentence:
      "a broker that is silent for a moment costs calls that moment: each goes on where it was, and is run once",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const gate = context.gate();
      const { sink, service: own } = await open(context, "moment", async (served) => {
        await respond(served, "one");
        await gate.wait();
        await respond(served, "two", "three");
        served.context.end();
      });
      const stream = start(sink, "before");
      await next(context, stream, 1);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      gate.open();
      const during = start(sink, "during");
      await context.window(250, "a moment, which is a quarter of the shortest silence that may cost a link");
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      assert.deepEqual(await readWell(context, stream), ["two", "three"]);
      assert.deepEqual(await readWell(context, during), ["one", "two", "three"]);
      assert.equal(own.calls.items.length, 2);
    },
  },
  {
    id: "R-263",
    sentence: "a broker that is silent does not hold up the timeout of a call; once it answers, calls are answered",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const { sink } = await open(context, "silent-timeout", (served) =>
        served.text === "hang" ? aborted(served.context.signal) : echo(served, 0),
      );
      await answersAgain(context, sink);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const watch = new Stopwatch();
      const { error } = await read(context, start(sink, "hang", { timeoutMs: 300 }));
      const { ms: took, undisturbedMs } = watch;
      assert.ok(MessagingError.is(error, "TIMEOUT"), `the call failed with ${String(error)} instead of TIMEOUT`);
      assert.ok(took >= 295 && undisturbedMs < 1_500, `a call with timeoutMs 300 failed after ${Math.round(took)} ms`);
      await context.soon(context.fault("thawBroker")(), "thawBroker");
      await answersAgain(context, sink);
    },
  },
  {
    id: "R-264",
    sentence: "while the broker takes no publishes a call ends by its timeout; calls are answered once it takes them",
    needs: ["blockPublishes", "unblockPublishes"],
    async run(context) {
      const { sink } = await open(context, "blocked", echo);
      await answersAgain(context, sink);
      context.atEnd(context.fault("unblockPublishes"));
      await context.soon(context.fault("blockPublishes")(), "blockPublishes", context.faultMs);
      const { error } = await read(context, start(sink, "blocked", { timeoutMs: 300 }), context.recoveryMs);
      assert.ok(MessagingError.is(error, "TIMEOUT"), `the call ended with ${String(error)} instead of TIMEOUT`);
      await context.soon(context.fault("unblockPublishes")(), "unblockPublishes", context.faultMs);
      await answersAgain(context, sink);
    },
  },
  {
    id: "R-265",
    sentence:
      "a server that comes back has as many slots as before: calls that were lost keep none, and give none twice",
    needs: ["dropConnections"],
    async run(context) {
      let gate = context.gate();
      let running = 0;
      let most = 0;
      const { sink, service: own } = await open(
        context,
        "slots",
        async (served) => {
          if (served.text === "hang") {
            await Promise.race([gate.wait(), aborted(served.context.signal)]);
            served.context.end();
            return;
          }
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, 5));
          running -= 1;
          await echo(served, 0);
        },
        // A caller's abort may be missed by a server that is not back: by its next sign of life it knows.
        { serve: { concurrency: ONE_EACH, keepAliveMs: keepAliveMs(context) } },
      );
      for (let losses = 1; losses <= 2; losses += 1) {
        const before = own.calls.items.length;
        gate = context.gate();
        const hanging = start(sink, "hang");
        await own.calls.count(before + 1);
        await context.dropConnections();
        gate.open();
        const { error } = await read(context, hanging, context.recoveryMs);
        if (error !== undefined) assertCut(error, "the call that hung");
        await answersAgain(context, sink);
      }
      const calls = numbered("call", 6).map((body) => start(sink, body));
      await Promise.all(calls.map((stream) => readWell(context, stream)));
      assert.equal(most, 1);
    },
  },
];
