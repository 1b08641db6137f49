import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAILURES_HEADER, LOSSES_HEADER, type WireMessage } from "../../../src/driver/index.js";
import { connectDriver, operator, refusal, take, testQueue, wire } from "./rig.js";

/** At most 255 bytes of UTF-8, as AMQP's short texts. */
const shortText = fc.string({ unit: "grapheme", maxLength: 60 }).filter((text) => Buffer.byteLength(text) <= 255);
const headerName = fc.oneof(
  shortText,
  // What would mean something to the broker or to the adapter.
  fc.constantFrom(
    "CC",
    "BCC",
    "__proto__",
    "constructor",
    "Scope",
    "ServerNodeID",
    "x-death",
    "x-first-death-queue",
    "x-delivery-count",
    "x-match",
    FAILURES_HEADER,
    LOSSES_HEADER,
  ),
);
const headers = fc
  .array(fc.tuple(headerName, fc.string({ unit: "grapheme", maxLength: 300 })), { maxLength: 8 })
  .map((entries): Record<string, string> => Object.fromEntries(entries));
const message: fc.Arbitrary<WireMessage> = fc.record({
  messageId: shortText,
  type: fc.option(shortText, { nil: undefined }),
  correlationId: fc.option(shortText, { nil: undefined }),
  replyTo: fc.option(shortText, { nil: undefined }),
  contentType: shortText,
  headers,
  body: fc.uint8Array({ maxLength: 5_000 }),
  timestamp: fc.nat(4_000_000_000).map((seconds) => seconds * 1_000),
  persistent: fc.boolean(),
});

describe("rabbitmq mapping", () => {
  it("brings every message as it was, to a queue, an inbox and a subscription", async () => {
    const { connection } = await connectDriver();
    const queue = testQueue("mapping");
    const broadcast = queue.name;
    const { deliveries, at } = await take(connection, queue, {
      prefetch: 1_000,
      settle: (delivery) => void delivery.settle("ack"),
    });
    const inInbox: WireMessage[] = [];
    const inSubscription: WireMessage[] = [];
    const inbox = await connection.openInbox(
      (frame) => inInbox.push(frame),
      () => {},
    );
    await connection.subscribe(
      broadcast,
      "node",
      (frame) => inSubscription.push(frame),
      () => {},
    );

    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 10 }), async (messages) => {
        for (const each of messages) {
          void connection.publish({ kind: "inbox", address: inbox.address }, each);
          void connection.publish({ kind: "broadcast", name: broadcast }, each);
        }
        await Promise.all(messages.map((each) => connection.publish({ kind: "queue", queue }, each)));
        await at(sent + messages.length - 1);
        for (const [index, each] of messages.entries()) {
          const expected = { ...each, expiresInMs: undefined };
          for (const arrived of [
            deliveries[sent + index]?.message,
            inInbox[sent + index],
            inSubscription[sent + index],
          ]) {
            expect(arrived).toStrictEqual(expected);
            expect(Object.getPrototypeOf(arrived?.headers)).toBe(Object.prototype);
          }
        }
        sent += messages.length;
      }),
      { numRuns: 60 },
    );
  });

  it("carries an application's header named Scope without sending a node's broadcast to all", async () => {
    const { connection } = await connectDriver();
    const name = testQueue("scope").name;
    const inbox: Record<string, WireMessage[]> = { one: [], two: [] };
    for (const node of ["one", "two"]) {
      await connection.subscribe(
        name,
        node,
        (frame) => inbox[node]?.push(frame),
        () => {},
      );
    }
    const spoof = { Scope: "all", ServerNodeID: "two" };
    await connection.publish({ kind: "broadcast", name, node: "one" }, wire("for one", { headers: spoof }));
    await connection.publish({ kind: "broadcast", name }, wire("for all"));
    await expect.poll(() => inbox.one?.length, { timeout: 20_000 }).toBe(2);
    await expect.poll(() => inbox.two?.length, { timeout: 20_000 }).toBe(1);
    expect(inbox.one?.[0]?.headers).toEqual(spoof);
  });

  it("reads what a foreign client sent, and keeps its properties and types through a retry", async () => {
    const { connection } = await connectDriver();
    const queue = testQueue("foreign");
    const { at } = await take(connection, queue);
    const foreign = {
      headers: { text: "t", whole: 42, truth: true, bytes: Buffer.from("raw"), table: { a: [1, "b"] }, changed: 1 },
      contentEncoding: "gzip",
      appId: "other",
      priority: 3,
      userId: "guest",
      persistent: true,
    };
    const { publish, take: takeRaw } = await operator();
    await publish(queue.name, "body", foreign);
    const first = await at(0);
    expect(first.message).toMatchObject({ contentType: "application/octet-stream", type: undefined, persistent: true });
    expect(first.message.messageId).not.toBe("");
    expect(first.message.headers).toEqual({
      text: "t",
      whole: "42",
      truth: "true",
      bytes: "raw",
      table: '{"a":[1,"b"]}',
      changed: "1",
    });
    await first.settle({ retryInMs: 0, headers: { ...first.message.headers, changed: "2", added: "3" } });
    const second = await at(1);
    expect(second.message.messageId).toBe(first.message.messageId);
    await second.settle({ deadLetter: { ...second.message.headers, why: "test" } });
    const { properties } = await takeRaw(`${queue.name}.dead`);
    expect(properties).toMatchObject({ contentEncoding: "gzip", appId: "other", priority: 3, deliveryMode: 2 });
    expect(properties.headers).toMatchObject({
      text: "t",
      whole: 42,
      truth: true,
      bytes: Buffer.from("raw"),
      table: { a: [1, "b"] },
      changed: "2",
      added: "3",
      why: "test",
    });
  });

  it.each([
    ["a messageId over 255 bytes", { messageId: "x".repeat(256) }, "INVALID_ARGUMENT", "messageId"],
    ["a correlationId over 255 bytes", { correlationId: "ż".repeat(200) }, "INVALID_ARGUMENT", "correlationId"],
    ["a header name over 255 bytes", { headers: { ["x".repeat(256)]: "" } }, "INVALID_ARGUMENT", "header"],
    ["headers over 64 KiB", { headers: { x: "x".repeat(66_000) } }, "TOO_LARGE", "65536"],
  ] as const)("refuses %s and goes on", async (_, more, code, named) => {
    const link = await connectDriver();
    const { connection, lost } = link;
    const queue = testQueue("refused");
    await connection.publish({ kind: "queue", queue }, wire("before"));
    const refused = connection.publish({ kind: "queue", queue }, wire("refused", more));
    const after = connection.publish({ kind: "queue", queue }, wire("after"));
    const error = await refusal(link, refused);
    expect(error.code).toBe(code);
    expect(error.message).toContain(named);
    await after;
    expect(lost).toEqual([]);
  });
});
