import { expect, test } from "vitest";
import { call, callOne } from "../../../../src/core/request/calls.js";
import { type HandlerContext, sinkOf } from "../../../../src/core/request/sink-of.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import { bodiesOf, expectCode } from "./call-rig.js";

const options = { timeoutMs: 5_000 };

test("each yield is a response, return is the end", async () => {
  const sink = sinkOf<string, string>(async function* ({ body }) {
    yield { body: `${body} one` };
    yield { body: `${body} two` };
  });
  expect(await bodiesOf(call(sink, { body: "x" }, options))).toEqual(["x one", "x two"]);
});

test("a throw is the error, after what was yielded: a MessagingError as it is, anything else as REMOTE", async () => {
  for (const [thrown, code, message] of [
    [new MessagingError("NOT_FOUND", "no row"), "NOT_FOUND", "no row"],
    [new TypeError("out of cheese"), "REMOTE", "out of cheese"],
    ["a text", "REMOTE", "a text"],
    [undefined, "REMOTE", "undefined"],
    [Object.create(null), "REMOTE", ""],
  ] as const) {
    const sink = sinkOf<string, string>(async function* () {
      yield { body: "one" };
      throw thrown;
    });
    const bodies: string[] = [];
    const reading = (async () => {
      for await (const { body } of call(sink, { body: "x" }, options)) bodies.push(body);
    })();
    await expect(reading).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(bodies).toEqual(["one"]);
  }
});

test("a handler that throws before its first await fails the call, and signal does not throw", async () => {
  const sink = sinkOf<string, string>(() => {
    throw new Error("at once");
  });
  await expectCode(callOne(sink, { body: "x" }, options), "REMOTE");
});

test("the generator runs no further than the reader's window", async () => {
  let yielded = 0;
  const sink = sinkOf<string, string>(async function* () {
    for (;;) {
      yielded += 1;
      yield { body: String(yielded) };
    }
  });
  const stream = call(sink, { body: "x" }, { ...options, window: 3 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(yielded).toBe(3);
  let read = 0;
  for await (const _ of stream) {
    read += 1;
    if (read === 10) break;
  }
  expect(yielded).toBeLessThanOrEqual(13);
});

test("when the call is over the generator is returned at its next yield, and its finally runs", async () => {
  const done: string[] = [];
  let context: HandlerContext<string> | undefined;
  const sink = sinkOf<string, string>(async function* (_, own) {
    context = own;
    try {
      for (let index = 0; ; index += 1) yield { body: String(index) };
    } finally {
      done.push("finally");
    }
  });
  const stream = call(sink, { body: "x" }, { ...options, window: 2 });
  for await (const _ of stream) break;
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual(["finally"]);
  expect(context?.signal.aborted).toBe(true);
});
