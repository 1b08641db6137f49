import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryBroker, memoryDriver } from "../../../../adapters/memory/index.js";
import { bytesCodec } from "../../../../src/core/codec.js";
import { createMessaging } from "../../../../src/core/messaging.js";
import { call, callOne } from "../../../../src/core/request/calls.js";
import { decodeAlive, decodeError, FRAME, FRAME_HEADER, numberIn } from "../../../../src/core/request/frames.js";
import { readRequest } from "../../../../src/core/request/incoming-request.js";
import { resolveServeOptions } from "../../../../src/core/request/sink-options.js";
import { requestTables } from "../../../../src/core/request/tables.js";
import type { Address, DriverConnection, WireMessage } from "../../../../src/driver/index.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import type { RequestSink } from "../../../../src/ports/request-sink.js";

const value = fc.oneof(
  fc.constantFrom("", "0", "1", "-1", "true", "false", "V4", "V5", "V9", "NaN", "1e9", "9007199254740992"),
  fc.nat({ max: 5_000 }).map(String),
  fc.string({ maxLength: 20 }),
);
const headers = fc.dictionary(fc.constantFrom(...Object.values(FRAME_HEADER)), value, { maxKeys: 12 });
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.json({ maxDepth: 2 }).map((text) => new TextEncoder().encode(text)),
);

/** A frame about one of these calls, or about none. */
const frames = (ids: readonly string[]): fc.Arbitrary<WireMessage> =>
  fc.record({
    messageId: fc.constantFrom("m", ...ids),
    type: fc.constantFrom(...Object.values(FRAME), "Nonsense", ""),
    correlationId: fc.constantFrom(...ids, "nobody", ""),
    contentType: fc.constantFrom("application/octet-stream", "application/json", ""),
    headers,
    body,
    timestamp: fc.nat(),
    persistent: fc.constant(false),
  });

const options = resolveServeOptions({ codec: bytesCodec }, memoryDriver().capabilities);

test("whatever a request frame holds, it is read or refused with a MessagingError", () => {
  fc.assert(
    fc.property(frames(["a"]), fc.option(fc.constant("inbox"), { nil: undefined }), (frame, replyTo) => {
      try {
        const request = readRequest({ ...frame, replyTo }, "standard", options);
        expect(request.timeoutMs).toBeGreaterThan(0);
        expect(request.window).toBeLessThanOrEqual(2_048);
        expect(request.windowBytes).toBeGreaterThan(0);
      } catch (error) {
        expect(MessagingError.is(error), String(error)).toBe(true);
      }
    }),
    { numRuns: 3_000 },
  );
});

test("whatever an Alive or an Error holds, it is read or refused, and numbers are whole and in their bounds", () => {
  fc.assert(
    fc.property(frames(["a"]), value, (frame, text) => {
      for (const entry of decodeAlive(frame.body)?.calls ?? []) expect(Number.isSafeInteger(entry.sequence)).toBe(true);
      expect(MessagingError.is(decodeError(frame))).toBe(true);
      const number = numberIn({ x: text }, "x", 1, 100);
      expect(number === undefined || (Number.isInteger(number) && number >= 1 && number <= 100)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

test("an Alive with an interval below a millisecond is none: it would be looked for all the time", () => {
  const encoder = new TextEncoder();
  const alive = (intervalMs: unknown) => decodeAlive(encoder.encode(JSON.stringify({ intervalMs, calls: [] })));
  expect(alive(1)).toEqual({ intervalMs: 1, calls: [] });
  for (const intervalMs of [0.999, 0, -1, "1", null]) expect(alive(intervalMs)).toBeUndefined();
});

test("10,000 frames of nonsense to a server: its calls go on, and nothing is left in any table", async () => {
  const broker = memoryBroker();
  const server = createMessaging({ driver: memoryDriver({ broker }) });
  const client = createMessaging({ driver: memoryDriver({ broker }) });
  const own: RequestSink = {
    signal(request, context) {
      if (request.body.byteLength === 1) return;
      void context.respond({ body: request.body });
      context.end();
    },
    abort() {},
  };
  const serving = await server.serve("service", own, { concurrency: { standard: 50 } });
  const connection = await strayConnection(broker);
  const sink = client.requestSink("service");
  const long = call(sink, { body: new Uint8Array(1) }, { timeoutMs: 60_000, priority: "bulk" });
  long.ended.catch(() => undefined);
  await callOne(sink, { body: new Uint8Array(3) }, { timeoutMs: 10_000 });
  const inbox = await connection.openInbox(
    () => {},
    () => {},
  );
  const addresses: Address[] = [
    { kind: "queue", queue: { name: "service", lanes: true, deadLetterQueue: undefined }, lane: "standard" },
    { kind: "broadcast", name: "service.control" },
    { kind: "broadcast", name: "service.control", node: server.nodeId },
  ];
  const seed = Date.now() & 0xff_ffff;
  for (const [index, frame] of fc.sample(frames(["a", "b"]), { numRuns: 10_000, seed }).entries()) {
    const to = addresses[index % addresses.length] as Address;
    const bounded = { ...frame.headers, [FRAME_HEADER.timeoutMs]: "100", [FRAME_HEADER.window]: "512" };
    const own = to.kind === "queue" ? bounded : frame.headers;
    await connection.publish(to, { ...frame, headers: own, replyTo: index % 2 === 0 ? inbox.address : undefined });
  }
  const answer = await callOne(sink, { body: new Uint8Array(3) }, { timeoutMs: 10_000 });
  expect(answer.body.byteLength, `seed ${seed}`).toBe(3);
  expect(serving.state).toBe("running");
  long.abort();
  const left = () => [requestTables(server), requestTables(client)].flatMap((tables) => Object.entries(tables));
  await expect
    .poll(() => left().filter(([, size]) => size > 0), { timeout: 10_000, message: `seed ${seed}` })
    .toEqual([]);
  await Promise.all([server.close(), client.close(), connection.close()]);
}, 60_000);

/** A link of somebody who does not know the protocol. */
function strayConnection(broker: ReturnType<typeof memoryBroker>): Promise<DriverConnection> {
  return memoryDriver({ broker }).connect({
    signal: new AbortController().signal,
    onLost: () => {},
    onBlocked: () => {},
    onReturned: () => {},
  });
}
