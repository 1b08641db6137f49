import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WireMessage } from "../../../src/driver/index.js";
import { message, newFile, openNode, settle, toOrders } from "./node.js";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const anyMessage: fc.Arbitrary<WireMessage> = fc.record({
  messageId: text.filter((id) => id !== ""),
  type: fc.option(text, { nil: undefined }),
  correlationId: fc.option(text, { nil: undefined }),
  replyTo: fc.option(text, { nil: undefined }),
  contentType: text,
  headers: fc.dictionary(text, text, { maxKeys: 5, noNullPrototype: true }),
  body: fc.uint8Array({ maxLength: 6_000 }),
  timestamp: fc.nat({ max: 4_102_444_800_000 }),
  priority: fc.constantFrom("bulk", undefined, "expedite"),
  persistent: fc.constant(true),
});

describe("messages in the file", () => {
  it("come out as they went in, when they are handed out at once and when they are read", async () => {
    const node = await openNode({ file: newFile() });
    await fc.assert(
      fc.asyncProperty(anyMessage, async (sent) => {
        await node.connection.publish(toOrders, sent);
        const taking = await node.take(1);
        const read = await taking.at(0);
        await settle(read, { retryInMs: 0, headers: sent.headers });
        const direct = await taking.at(1);
        for (const { message: got } of [read, direct]) {
          expect({ ...got, body: Buffer.from(got.body) }).toEqual({ ...sent, body: Buffer.from(sent.body) });
        }
        await settle(direct);
        await taking.consumer.stop();
      }),
      { numRuns: 60 },
    );
  });

  it("keeps what is odd in a header name, and 64 KiB of headers", async () => {
    const node = await openNode({ file: newFile() });
    const headers = { __proto__x: "1", "a\"b'c": "2", "": "3", long: "x".repeat(65_536) };
    await node.connection.publish(toOrders, message("odd", { headers }));
    expect({ ...(await (await node.take(1)).at(0)).message.headers }).toEqual(headers);
  });
});
