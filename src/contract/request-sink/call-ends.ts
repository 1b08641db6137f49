import assert from "node:assert";
import { MessagingError, type RequestContext, type RequestMessage, type RequestSink, sinkOf } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, numbered, text } from "../text.js";
import { echo, fails, goesOn, open, readFailure, readWell, respond, service, start } from "./steps.js";

/** How calls end otherwise than well, and that nothing comes after it. */
export const callEndCases: readonly ContractCase[] = [
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
];
