import assert from "node:assert";
import { call, callOne, callOneWay, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { aborted } from "../queue/steps.js";
import { bytes, numbered, text } from "../text.js";
import {
  echo,
  goesOn,
  LONG_MS,
  next,
  ONE_EACH,
  open,
  read,
  readFailure,
  request,
  respond,
  start,
  streaming,
  told,
} from "./steps.js";

/** The ways to call, and sinks that pass calls on. */
export const callFormCases: readonly ContractCase[] = [
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
