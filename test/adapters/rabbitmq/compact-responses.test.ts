import { describe, expect, it } from "vitest";
import type { AmqpMessage, AmqpProperties } from "../../../adapters/rabbitmq/amqp.js";
import { CompactInboxes, toCompact, toFrame } from "../../../adapters/rabbitmq/compact-responses.js";
import { toPublishOptions } from "../../../adapters/rabbitmq/mapping.js";
import type { WireMessage } from "../../../src/driver/index.js";
import { FRAME, FRAME_HEADER } from "../../../src/driver/request-frames.js";
import { connectDriver, eventually, testQueue, wire } from "./rig.js";

const RESPONSE: WireMessage = {
  messageId: "call",
  type: FRAME.response,
  correlationId: "call",
  replyTo: "prices",
  contentType: "application/octet-stream",
  headers: { [FRAME_HEADER.version]: "V5", [FRAME_HEADER.node]: "node 1 ü", [FRAME_HEADER.sequence]: "17" },
  body: new Uint8Array([1, 2]),
  timestamp: 1_795_000_000_000,
  expiresInMs: undefined,
  persistent: false,
};

function received(properties: AmqpProperties, body = RESPONSE.body): AmqpMessage {
  return { content: Buffer.from(body), fields: { deliveryTag: 1, redelivered: false }, properties };
}

/** As it would come from an inbox that has asked for compact ones. */
function overTheWire(message: WireMessage): WireMessage {
  return toFrame(received(toCompact(message) ?? toPublishOptions(message), message.body));
}

describe("compact responses", () => {
  it("say what the response says, without a table", () => {
    const { timestamp: _, ...rest } = RESPONSE;
    expect(toCompact(RESPONSE)?.headers).toBeUndefined();
    expect(overTheWire(RESPONSE)).toMatchObject(rest);
    const more: Record<string, string>[] = [
      { [FRAME_HEADER.totalResponses]: "17", [FRAME_HEADER.aliveMs]: "1000" },
      { [FRAME_HEADER.totalResponses]: "17" },
      { [FRAME_HEADER.aliveMs]: "1000" },
    ];
    for (const added of more) {
      const message = { ...RESPONSE, contentType: "application/json", headers: { ...RESPONSE.headers, ...added } };
      expect(toCompact(message)?.headers).toBeUndefined();
      expect(overTheWire(message).headers).toEqual(message.headers);
      expect(overTheWire(message).contentType).toBe("application/json");
    }
  });

  it("are not made of what says more or less: that travels as it is", () => {
    const { [FRAME_HEADER.version]: _, ...unversioned } = RESPONSE.headers;
    const others: WireMessage[] = [
      { ...RESPONSE, headers: { ...RESPONSE.headers, own: "x" } },
      { ...RESPONSE, headers: { ...RESPONSE.headers, [FRAME_HEADER.run]: "again" } },
      { ...RESPONSE, headers: { ...RESPONSE.headers, [FRAME_HEADER.node]: "n".repeat(200) } },
      { ...RESPONSE, headers: unversioned },
      { ...RESPONSE, type: FRAME.end },
      { ...RESPONSE, type: FRAME.alive, messageId: "alive-1" },
    ];
    for (const message of others) {
      expect(toCompact(message)).toBeUndefined();
      expect(overTheWire(message)).toMatchObject({ type: message.type, headers: message.headers });
    }
  });

  it("that make no sense are read all the same", () => {
    for (const messageId of ["", " ", "1 2 3 4", "x", "1  "]) {
      const frame = toFrame(received({ appId: "fairlead/1 V5 node", messageId, correlationId: "call" }));
      expect([frame.type, frame.headers[FRAME_HEADER.node]]).toEqual([FRAME.response, "node"]);
    }
    for (const appId of ["fairlead/1", "fairlead/1 V5", "fairlead/2 V5 node", "another"]) {
      expect(toFrame(received({ appId, messageId: "1", correlationId: "call" })).headers).toEqual({});
    }
  });

  it("go only to inboxes that have asked for them", async () => {
    const { connection } = await connectDriver();
    const frames: WireMessage[] = [];
    const inbox = await connection.openInbox(
      (frame) => frames.push(frame),
      () => {},
    );
    const inboxes = new CompactInboxes();
    inboxes.note(received({ replyTo: "older" }));
    inboxes.note(received({ replyTo: "another", appId: "another" }));
    inboxes.note(received(toPublishOptions({ ...RESPONSE, type: FRAME.signal, replyTo: "ours" })));
    expect(["older", "another", "ours"].map((address) => inboxes.has(address))).toEqual([false, false, true]);

    // With its time, which a compact one leaves to whoever reads it.
    await connection.publish({ kind: "inbox", address: inbox.address }, RESPONSE);
    await eventually(() => frames.length === 1, "the response");
    expect(frames[0]).toMatchObject({ headers: RESPONSE.headers, timestamp: RESPONSE.timestamp });
    const queue = { ...testQueue("asked"), lanes: true };
    const taken: unknown[] = [];
    const consumer = await connection.consume(
      queue,
      { prefetch: 1, lane: "standard" },
      (delivery) => taken.push(delivery.settle("ack")),
      () => {},
    );
    const request = { ...wire("request"), type: FRAME.signal, replyTo: inbox.address, persistent: false };
    await connection.publish({ kind: "queue", queue, lane: "standard" }, request);
    await eventually(() => taken.length === 1, "the request");
    await connection.publish({ kind: "inbox", address: inbox.address }, RESPONSE);
    await eventually(() => frames.length === 2, "the compact response");
    expect(frames[1]?.headers).toEqual(RESPONSE.headers);
    expect(frames[1]?.timestamp).not.toBe(RESPONSE.timestamp);
    await consumer.stop();
  });
});
