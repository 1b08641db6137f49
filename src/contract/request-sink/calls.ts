import assert from "node:assert";
import { call, callOne, callOneWay, MessagingError, sinkOf } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered, text } from "../text.js";
import {
  echo,
  fails,
  goesOn,
  LONG_MS,
  next,
  ONE_EACH,
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

/** Requests, responses and the end of a call. */
export const callCases: readonly ContractCase[] = [
  {
    id: "R-01",
    sentence: "a request reaches the service with its callId, body, headers, priority, idempotence and timestamp",
    async run(context) {
      const { service: own, sink } = await open(context, "request", streaming(0));
      const headers = { tenant: "blue", héader: "välue" };
      const before = Date.now();
      const stream = start(
        sink,
        "what is asked",
        { priority: "expedite", idempotent: true },
        { callId: "call-1", headers },
      );
      assert.equal(stream.callId, "call-1");
      await readWell(context, stream);
      const { request: received, context: caller } = await own.calls.at(0);
      assert.equal(received.callId, "call-1");
      assert.equal(caller.callId, "call-1");
      assert.equal(text(received.body), "what is asked");
      assert.deepEqual({ ...received.headers }, headers);
      assert.equal(received.priority, "expedite");
      assert.equal(received.idempotent, true);
      assert.ok(received.timestamp >= before && received.timestamp <= Date.now(), `timestamp ${received.timestamp}`);
    },
  },
  {
    id: "R-02",
    sentence: "responses arrive in the order in which they were sent, with bodies and headers, and then the end",
    async run(context) {
      const { sink } = await open(context, "ordered", async ({ context: caller }) => {
        for (const body of numbered("r", 100)) await caller.respond({ body: bytes(body), headers: { own: body } });
        caller.end();
      });
      const seen: (readonly [string, string | undefined])[] = [];
      for await (const { body, headers } of start(sink)) seen.push([text(body), headers?.own]);
      assert.deepEqual(
        seen,
        numbered("r", 100).map((body) => [body, body]),
      );
    },
  },
  {
    id: "R-03",
    sentence: "a call without responses ends cleanly, and so does one with a single response",
    async run(context) {
      const { sink } = await open(context, "few", (served, index) => streaming(index)(served, index));
      assert.deepEqual(await readWell(context, start(sink)), []);
      assert.deepEqual(await readWell(context, start(sink)), ["r-0"]);
    },
  },
  {
    id: "R-04",
    sentence: "fail reaches the caller with its code and message, after all responses that came before it",
    async run(context) {
      const { sink } = await open(context, "fails", async (served) => {
        await respond(served, ...numbered("r", 100));
        served.context.fail(new MessagingError("PERMISSION_DENIED", "not for you"));
      });
      const stream = start(sink);
      await fails(context, stream, "PERMISSION_DENIED");
      const { texts, error } = await readFailure(context, stream, "PERMISSION_DENIED");
      assert.deepEqual(texts, numbered("r", 100));
      assert.ok(error.message.includes("not for you"), error.message);
    },
  },
  {
    id: "R-05",
    sentence:
      "what a handler throws, before or after responses, reaches the caller as REMOTE with its text and no stack",
    async run(context) {
      const name = context.name("throws");
      const node = await context.node();
      const handler = sinkOf(async function* (asked) {
        if (text(asked.body) === "after") yield { body: bytes("one") };
        throw new TypeError("out of cheese");
      });
      await context.serve(node, name, handler);
      const sink = await context.sink(name);
      for (const when of ["before", "after"]) {
        const { texts, error } = await readFailure(context, start(sink, when), "REMOTE");
        assert.deepEqual(texts, when === "after" ? ["one"] : []);
        assert.ok(error.message.includes("out of cheese"), error.message);
        const all = `${error.message} ${error.stack} ${String(error.cause)}`;
        assert.ok(!all.includes("request-sink/calls"), `the server's stack crossed: ${all}`);
      }
    },
  },
  {
    id: "R-06",
    sentence: "a MessagingError that a handler throws reaches the caller with its code",
    async run(context) {
      const name = context.name("throws-code");
      const handler = sinkOf(async function* () {
        yield { body: bytes("one") };
        throw new MessagingError("NOT_FOUND", "no such row");
      });
      await context.serve(await context.node(), name, handler);
      const { texts, error } = await readFailure(context, start(await context.sink(name)), "NOT_FOUND");
      assert.deepEqual(texts, ["one"]);
      assert.ok(error.message.includes("no such row"), error.message);
    },
  },
  {
    id: "R-07",
    sentence: "a sink that throws out of signal or abort fails its call, and the server goes on",
    async run(context) {
      const name = context.name("throws-out");
      const well = service(context, echo);
      await context.serve(await context.node(), name, {
        signal(asked, caller) {
          if (text(asked.body) === "throw") throw new RangeError("thrown out of signal");
          if (text(asked.body) !== "hang") well.signal(asked, caller);
        },
        abort() {
          throw new RangeError("thrown out of abort");
        },
      });
      const sink = await context.sink(name);
      const { error } = await readFailure(context, start(sink, "throw"), "REMOTE");
      assert.ok(error.message.includes("thrown out of signal"), error.message);
      const stream = start(sink, "hang");
      stream.abort();
      await readFailure(context, stream, "ABORTED");
      await goesOn(context, sink);
    },
  },
  {
    id: "R-08",
    sentence:
      "what comes after the end of a call does nothing: respond and keepAlive are false, end and fail are ignored",
    async run(context) {
      const late: unknown[] = [];
      const { sink } = await open(context, "late", async (served) => {
        const { context: caller } = served;
        await respond(served, "one");
        caller.end();
        caller.fail(new MessagingError("INTERNAL", "too late"));
        caller.end();
        late.push(await respond(served, "two"), caller.keepAlive(1_000));
      });
      assert.deepEqual(await readWell(context, start(sink)), ["one"]);
      await context.until(
        () => late.length === 2,
        () => "respond after the end to settle",
      );
      assert.deepEqual(late, [false, false]);
    },
  },
  {
    id: "R-09",
    sentence: "a hundred calls at once on one sink each get their own responses",
    async run(context) {
      const { sink } = await open(
        context,
        "many",
        async (served) => {
          await respond(served, ...numbered(served.text, 5));
          served.context.end();
        },
        { serve: { concurrency: { standard: 20 } } },
      );
      const asked = numbered("call", 100);
      const answers = await Promise.all(asked.map((body) => readWell(context, start(sink, body), context.recoveryMs)));
      assert.deepEqual(
        answers,
        asked.map((body) => numbered(body, 5)),
      );
    },
  },
  {
    id: "R-10",
    sentence: "a callId can be used again once its call has ended, and is a new call",
    async run(context) {
      const { service: own, sink } = await open(context, "again", echo);
      for (const body of ["one", "two", "three"]) {
        assert.deepEqual(await readWell(context, start(sink, body, {}, { callId: "same" })), [body]);
      }
      assert.equal(own.calls.items.length, 3);
    },
  },
  {
    id: "R-11",
    sentence:
      "a second live call with the same callId on one sink is refused with ALREADY_EXISTS, and harms the first not",
    async run(context) {
      const gate = context.gate();
      const { service: own, sink } = await open(context, "twice", async (served) => {
        await gate.wait();
        await respond(served, served.text);
        served.context.end();
      });
      const first = start(sink, "first", {}, { callId: "same" });
      await own.calls.count(1);
      await readFailure(context, start(sink, "second", {}, { callId: "same" }), "ALREADY_EXISTS");
      gate.open();
      assert.deepEqual(await readWell(context, first), ["first"]);
      assert.equal(own.calls.items.length, 1);
      assert.deepEqual(await readWell(context, start(sink, "third", {}, { callId: "same" })), ["third"]);
    },
  },
  {
    id: "R-12",
    sentence: "the same callId at two clients at once names two calls that do not mix, nor does an abort of one",
    async run(context) {
      const gate = context.gate();
      const opened = await open(context, "two-clients", async (served) => {
        await gate.wait();
        await respond(served, ...numbered(served.text, 3));
        served.context.end();
      });
      const { service: own, name } = opened;
      const second = await context.sink(name);
      const third = await context.sink(name);
      const streams = [
        start(opened.sink, "first", {}, { callId: "same" }),
        start(second, "second", {}, { callId: "same" }),
      ];
      const given = start(third, "third", {}, { callId: "same" });
      await own.calls.count(3);
      given.abort();
      const gone = own.calls.items.find((served) => served.text === "third");
      assert.ok(gone !== undefined, "the third call came");
      await told(context, gone);
      gate.open();
      const answers = await Promise.all(streams.map((stream) => readWell(context, stream)));
      assert.deepEqual(answers, [numbered("first", 3), numbered("second", 3)]);
    },
  },
  {
    id: "R-13",
    sentence: "empty bodies and bodies of every byte cross unchanged, both ways",
    async run(context) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const { service: own, sink } = await open(context, "bodies", async ({ request: { body }, context: caller }) => {
        await caller.respond({ body });
        caller.end();
      });
      for (const body of [new Uint8Array(0), all]) {
        const answer = await context.soon(callOne(sink, { body }, { timeoutMs: LONG_MS }), "callOne");
        assert.deepEqual(Uint8Array.from(answer.body), body);
      }
      assert.deepEqual(
        own.calls.items.map(({ request: { body } }) => body.byteLength),
        [0, 256],
      );
    },
  },
  {
    id: "R-14",
    sentence: "what is unread when a call ends can still be read, at any later time",
    async run(context) {
      const { sink } = await open(context, "unread", streaming(50));
      const stream = start(sink);
      await context.soon(stream.ended, "ended, with nothing read");
      await goesOn(context, sink);
      assert.deepEqual(await readWell(context, stream), numbered("r", 50));
      assert.deepEqual(await readWell(context, stream), []);
    },
  },
  {
    id: "R-15",
    sentence: "callOne resolves with the one response",
    async run(context) {
      const { sink } = await open(context, "one", echo);
      const { body } = await context.soon(callOne(sink, request("only"), { timeoutMs: LONG_MS }), "callOne");
      assert.equal(text(body), "only");
    },
  },
  {
    id: "R-16",
    sentence: "callOne without a response rejects with DATA_LOSS",
    async run(context) {
      const { sink } = await open(context, "none", streaming(0));
      await context.refused(() => callOne(sink, request(), { timeoutMs: LONG_MS }), "DATA_LOSS", "callOne");
    },
  },
  {
    id: "R-17",
    sentence: "callOne with a second response rejects with REMOTE, and aborts the call",
    async run(context) {
      const { service: own, sink } = await open(context, "two", async (served) => {
        await respond(served, "one", "two");
        await aborted(served.context.signal);
      });
      await context.refused(() => callOne(sink, request(), { timeoutMs: LONG_MS }), "REMOTE", "callOne");
      await told(context, await own.calls.at(0));
    },
  },
  {
    id: "R-18",
    sentence: "callOneWay resolves once the request is handed over, respond is false at once, and nothing stalls",
    async run(context) {
      const answers: unknown[] = [];
      const { service: own, sink } = await open(
        context,
        "one-way",
        async (served) => {
          for (let index = 0; index < 20; index += 1) answers.push(await respond(served, `r-${index}`));
          served.context.end();
        },
        { serve: { concurrency: ONE_EACH } },
      );
      for (const body of ["first", "second"]) {
        await context.soon(callOneWay(sink, request(body), { timeoutMs: LONG_MS }), "callOneWay");
      }
      await own.calls.count(2);
      await context.until(
        () => answers.length === 40,
        () => `${answers.length} of 40 responds to settle`,
      );
      assert.ok(
        answers.every((answer) => answer === false),
        `respond of a one-way call gave ${String(answers)}`,
      );
      assert.equal(own.calls.items[0]?.context.window, 0);
    },
  },
  {
    id: "R-19",
    sentence: "what a one-way handler throws harms nothing, and is told to the observers of its node",
    async run(context) {
      const {
        node,
        sink,
        service: own,
      } = await open(context, "one-way-throws", (served, index) => {
        if (index === 0) throw new Error("nobody listens");
        return echo(served, index);
      });
      await context.soon(callOneWay(sink, request(), { timeoutMs: LONG_MS }), "callOneWay");
      await own.calls.count(1);
      await node.observed.find(
        (item) => item.type === "handler-failed" || item.type === "call",
        "an observation of it",
      );
      await goesOn(context, sink);
    },
  },
  {
    id: "R-20",
    sentence: "batch resolves as soon as it has max responses, and not before, while more may come",
    async run(context) {
      const gate = context.gate();
      const { sink } = await open(context, "batch", async (served) => {
        await respond(served, ...numbered("a", 3));
        await gate.wait();
        await respond(served, ...numbered("b", 7));
        await aborted(served.context.signal);
      });
      const stream = start(sink);
      let isDone = false;
      const batch = stream.batch({ max: 5, waitMs: LONG_MS }).then((responses) => {
        isDone = true;
        return responses.map(({ body }) => text(body));
      });
      await context.window(150, "the first three responses are here by then");
      assert.equal(isDone, false, "a batch of five resolved with three, before its time");
      gate.open();
      assert.deepEqual(await context.soon(batch, "batch"), [...numbered("a", 3), ...numbered("b", 2)]);
      stream.abort();
    },
  },
  {
    id: "R-21",
    sentence: "batch resolves with what is there when waitMs have passed or the stream ends, and then with nothing",
    async run(context) {
      const gate = context.gate();
      const { sink } = await open(context, "partial", async (served) => {
        await respond(served, "one", "two");
        await gate.wait();
        await respond(served, "three");
        served.context.end();
      });
      const stream = start(sink);
      assert.deepEqual(await next(context, stream, 1), ["one"]);
      const started = performance.now();
      const partial = await context.soon(stream.batch({ max: 10, waitMs: 200 }), "batch");
      assert.deepEqual(
        partial.map(({ body }) => text(body)),
        ["two"],
      );
      assert.ok(performance.now() - started >= 190, "a partial batch before its time");
      gate.open();
      const last = await context.soon(stream.batch({ max: 10, waitMs: LONG_MS }), "batch");
      assert.deepEqual(
        last.map(({ body }) => text(body)),
        ["three"],
      );
      assert.deepEqual(await context.soon(stream.batch({ max: 10, waitMs: LONG_MS }), "batch after the end"), []);
    },
  },
  {
    id: "R-22",
    sentence: "batch gives what came before an error first, and then throws the error",
    async run(context) {
      const { sink } = await open(context, "batch-error", async (served) => {
        await respond(served, "one", "two");
        throw new MessagingError("NOT_FOUND", "no more");
      });
      const stream = start(sink);
      const responses = await context.soon(stream.batch({ max: 5, waitMs: LONG_MS }), "batch");
      assert.deepEqual(
        responses.map(({ body }) => text(body)),
        ["one", "two"],
      );
      await context.refused(() => stream.batch({ max: 5, waitMs: LONG_MS }), "NOT_FOUND", "batch");
    },
  },
  {
    id: "R-23",
    sentence: "a batch as large as the window fills, and a larger one is refused",
    async run(context) {
      const { sink } = await open(context, "batch-window", streaming(40));
      const stream = start(sink, "request", { window: 10 });
      await context.refused(() => stream.batch({ max: 11, waitMs: 0 }), "INVALID_ARGUMENT", "batch");
      for (let from = 0; from < 40; from += 10) {
        const responses = await context.soon(stream.batch({ max: 10, waitMs: LONG_MS }), "batch");
        assert.deepEqual(
          responses.map(({ body }) => text(body)),
          numbered("r", 40).slice(from, from + 10),
        );
      }
    },
  },
  {
    id: "R-24",
    sentence:
      "headers that only Fairlead may write, and options that make no sense, are refused before anything is sent",
    async run(context) {
      const { service: own, sink } = await open(context, "refused", echo);
      const attempts: readonly (() => unknown)[] = [
        () => start(sink, "x", {}, { headers: { "fairlead-version": "V9" } }),
        () => start(sink, "x", {}, { callId: "" }),
        () => start(sink, "x", { timeoutMs: 0 }),
        () => start(sink, "x", { timeoutMs: Number.NaN }),
        () => start(sink, "x", { window: 0 }),
        () => start(sink, "x", { window: 2_049 }),
        () => start(sink, "x", { window: 1.5 }),
        () => start(sink, "x", { windowBytes: 0 }),
      ];
      for (const attempt of attempts) {
        await context.refused(() => attempt(), "INVALID_ARGUMENT", "a call that makes no sense");
      }
      await goesOn(context, sink);
      assert.equal(own.calls.items.length, 1);
    },
  },
  {
    id: "R-25",
    sentence:
      "a sink that passes requests on to another one passes responses, back-pressure, errors and aborts through",
    async run(context) {
      let offered = 0;
      const inner = await open(context, "inner", async (served) => {
        if (served.text === "fail") throw new MessagingError("NOT_FOUND", "inside");
        for (;;) {
          offered += 1;
          if (!(await respond(served, `r-${offered}`))) break;
        }
      });
      const name = context.name("outer");
      await context.serve(await context.node(), name, inner.sink);
      const sink = await context.sink(name);
      await readFailure(context, start(sink, "fail"), "NOT_FOUND");
      const stream = start(sink, "stream", { window: 5 });
      assert.deepEqual(await next(context, stream, 20), numbered("r", 21).slice(1));
      await context.window(150, "a service that is not held back is far ahead by then");
      assert.ok(offered <= 20 + 4 * 5, `${offered} responses were offered to a reader of 20 with a window of 5`);
      stream.abort();
      await readFailure(context, stream, "ABORTED");
      const [, streamed] = await inner.service.calls.count(2);
      assert.ok(streamed !== undefined, "the second call came");
      await told(context, streamed);
    },
  },
  {
    id: "R-26",
    sentence: "a caller's context without onTaken is served too, and gets a response at a time",
    async run(context) {
      const { sink } = await open(context, "own-context", streaming(30));
      const seen: string[] = [];
      let atOnce = 0;
      let most = 0;
      const ended = new Promise<unknown>((resolve) => {
        sink.signal(
          { callId: "own", body: bytes("request"), timestamp: Date.now() },
          {
            callId: "own",
            deadline: Date.now() + LONG_MS,
            signal: new AbortController().signal,
            window: 4,
            windowBytes: 1_000,
            allowKeepAlive: true,
            keepAlive: () => true,
            async respond({ body }) {
              atOnce += 1;
              most = Math.max(most, atOnce);
              seen.push(text(body));
              await new Promise((done) => setImmediate(done));
              atOnce -= 1;
              return true;
            },
            end: () => resolve(undefined),
            fail: resolve,
          },
        );
      });
      assert.equal(await context.soon(ended, "the end"), undefined);
      assert.deepEqual(seen, numbered("r", 30));
      assert.ok(most <= 4, `${most} responds at once with a window of 4`);
    },
  },
  {
    id: "R-27",
    sentence: "two calls on one sink are apart: a reader who stands still holds up nobody else",
    async run(context) {
      const { sink } = await open(context, "head-of-line", streaming(150));
      const still = start(sink, "slow", { window: 3 });
      assert.deepEqual(await next(context, still, 1), ["r-0"]);
      assert.equal((await readWell(context, start(sink, "quick", { window: 3 }))).length, 150);
      assert.equal((await readWell(context, still)).length, 149);
    },
  },
  {
    id: "R-28",
    sentence: "a request that nobody serves ends with TIMEOUT at its time",
    async run(context) {
      const sink = await context.sink(context.name("nobody"));
      const started = performance.now();
      const { error } = await read(context, call(sink, request(), { timeoutMs: 400 }));
      assert.ok(MessagingError.is(error, "TIMEOUT"), String(error));
      const ms = performance.now() - started;
      assert.ok(ms >= 395, `after ${ms} ms`);
    },
  },
];
