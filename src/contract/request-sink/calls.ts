import assert from "node:assert";
import {
  callOne,
  MessagingError,
  type RequestContext,
  type RequestMessage,
  type RequestSink,
  sinkOf,
} from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, numbered, text } from "../text.js";
import {
  echo,
  fails,
  goesOn,
  LONG_MS,
  next,
  open,
  readFailure,
  readWell,
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
    id: "R-189",
    sentence: "a sink whose signal or abort is async and rejects fails its call, and the server goes on",
    async run(context) {
      const name = context.name("rejects");
      const well = service(context, echo);
      const rejecting = {
        signal: async (asked: RequestMessage<Uint8Array>, caller: RequestContext): Promise<void> => {
          if (text(asked.body) === "throw") throw new RangeError("rejected by signal");
          if (text(asked.body) !== "hang") well.signal(asked, caller);
        },
        abort: () => Promise.reject(new RangeError("rejected by abort")),
      };
      // The types allow it: a function that returns something is one that returns nothing.
      const sloppy: RequestSink = rejecting;
      await context.serve(await context.node(), name, sloppy);
      const sink = await context.sink(name);
      const { error } = await readFailure(context, start(sink, "throw"), "REMOTE");
      assert.ok(error.message.includes("rejected by signal"), error.message);
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
];
