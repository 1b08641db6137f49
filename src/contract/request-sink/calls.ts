import assert from "node:assert";
import { callOne } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, numbered, text } from "../text.js";
import { echo, goesOn, LONG_MS, next, open, readFailure, readWell, respond, start, streaming, told } from "./steps.js";

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
      const { sink } = await open(context, "head-of-line", streaming(60));
      const still = start(sink, "slow", { window: 3 });
      assert.deepEqual(await next(context, still, 1), ["r-0"]);
      assert.equal((await readWell(context, start(sink, "quick", { window: 3 }))).length, 60);
      assert.equal((await readWell(context, still)).length, 59);
    },
  },
];
