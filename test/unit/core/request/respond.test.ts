import { expect, test } from "vitest";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import { batchOf, bodiesOf, outcomeOf, send, startCall } from "./call-rig.js";

test("respond resolves when there is room for another, and waits for the reader when there is none", async () => {
  const rig = startCall({ window: 2 });
  expect(await rig.context.respond({ body: "one" })).toBe(true);
  const second = rig.context.respond({ body: "two" });
  expect(await outcomeOf(rig, second)).toBe("pending");
  expect(await batchOf(rig, 1, 0)).toEqual(["one"]);
  expect(await second).toBe(true);
});

test("the window counts bytes, and allows one response however large", async () => {
  const rig = startCall({ windowBytes: 10 });
  const first = rig.context.respond({ body: "twelve bytes" });
  expect(await outcomeOf(rig, first)).toBe("pending");
  expect(await batchOf(rig, 1, 0)).toEqual(["twelve bytes"]);
  expect(await first).toBe(true);
  expect(await rig.context.respond({ body: "12345" })).toBe(true);
  expect(await outcomeOf(rig, rig.context.respond({ body: "67890" }))).toBe("pending");
});

test("responds that are not awaited are read in order; one beyond a window's worth fails the call", async () => {
  const rig = startCall({ window: 2 });
  send(rig, "a", "b", "c", "d");
  const refused = rig.context.respond({ body: "e" });
  expect(await outcomeOf(rig, refused)).toBe("REJECTED");
  rig.context.end();
  const read: string[] = [];
  const reading = (async () => {
    for await (const { body } of rig.stream) read.push(String(body));
  })();
  await expect(reading).rejects.toMatchObject({ code: "REJECTED" });
  expect(read).toEqual(["a", "b", "c", "d"]);
});

test.each(["abort", "deadline", "fail", "end"] as const)("a respond that waits is woken by: %s", async (what) => {
  const rig = startCall({ window: 1, stallMs: 0, allowKeepAlive: false });
  const waiting = rig.context.respond({ body: "one" });
  expect(await outcomeOf(rig, waiting)).toBe("pending");
  if (what === "abort") rig.stream.abort();
  else if (what === "deadline") await rig.clock.pass(1_000);
  else if (what === "fail") rig.context.fail(new MessagingError("REMOTE", "no more"));
  else rig.context.end();
  expect(await waiting).toBe(false);
});

test("what waits for room when the sink ends the call is read first", async () => {
  const rig = startCall({ window: 1 });
  send(rig, "one", "two");
  rig.context.end();
  expect(rig.context.keepAlive(1)).toBe(false);
  expect(await bodiesOf(rig.stream)).toEqual(["one", "two"]);
  await rig.stream.ended;
});

test("a hundred thousand responses pass through a window of one", async () => {
  const rig = startCall({ window: 1 });
  const reading = (async () => {
    let count = 0;
    for await (const { body } of rig.stream) {
      if (body !== String(count)) throw new Error(`${body} instead of ${count}`);
      count += 1;
    }
    return count;
  })();
  for (let index = 0; index < 100_000; index += 1) await rig.context.respond({ body: String(index) });
  rig.context.end();
  expect(await reading).toBe(100_000);
});
