import { describe, expect, it } from "vitest";
import { decodeMessage } from "../../../adapters/rabbitmq/decode-message.js";
import { fromTable, toTableAgain } from "../../../adapters/rabbitmq/headers.js";
import { toPublishOptionsAgain, toWireMessage } from "../../../adapters/rabbitmq/mapping.js";

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(1, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** A delivery without a body, with this table of headers, this timestamp and an application's id. */
function delivery(table: Buffer, timestamp = Buffer.from([0, 0, 0, 0, 0, 0, 0, 9])): Buffer {
  const method = Buffer.concat([Buffer.from([0, 60, 0, 60]), text("tag"), Buffer.alloc(9), text(""), text("queue")]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(table.length);
  const flags = Buffer.from([0x20, 0x48]);
  const properties = Buffer.concat([flags, length, table, timestamp, text("app")]);
  return Buffer.concat([
    frame(1, method),
    frame(2, Buffer.concat([Buffer.from([0, 60]), Buffer.alloc(10), properties])),
  ]);
}

describe("headers of other programs", () => {
  it("that are read by amqplib leave what stands behind them where it is", () => {
    // A table within the table, which is left to amqplib, and more than enough of it to lead a reader beyond the end.
    const inner = Buffer.concat([text("k"), Buffer.from("S"), Buffer.from([0, 0, 0, 200]), Buffer.alloc(200, 0xff)]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(inner.length);
    const table = Buffer.concat([text("t"), Buffer.from("F"), length, inner]);
    expect(decodeMessage(delivery(table), 0)).toBeUndefined();
    const plain = Buffer.concat([text("b"), Buffer.from("t"), Buffer.from([1])]);
    expect(decodeMessage(delivery(plain), 0)?.message.properties).toMatchObject({
      headers: { b: true },
      timestamp: 9,
      appId: "app",
    });
  });

  it("with a field named __proto__ that is bytes, as amqplib makes it, are read and published again", () => {
    const table: Record<string, unknown> = { n: 1 };
    Object.setPrototypeOf(table, Buffer.from("bytes"));
    const headers = fromTable({ one: table, list: [table] });
    expect(headers).toEqual({ one: '{"n":1}', list: '[{"n":1}]' });
    const again = toTableAgain(headers, { one: table, list: [table] });
    expect(again).toEqual({ one: { n: 1 }, list: [{ n: 1 }] });
    expect(Buffer.isBuffer(again.one)).toBe(false);
  });

  it("that cannot be written as they were read go on as text", () => {
    const late = { "!": "timestamp", value: 2 ** 64 };
    const received = { late, nested: { list: [late] }, none: Number.NaN, soon: { "!": "timestamp", value: 9 }, n: 1 };
    const again = toTableAgain(fromTable(received), received);
    expect(again).toEqual({
      late: JSON.stringify(late),
      nested: JSON.stringify({ list: [late] }),
      none: "NaN",
      soon: { "!": "timestamp", value: 9 },
      n: 1,
    });
  });

  it("and a time that no clock shows do not keep a message from being published again", () => {
    const received = decodeMessage(delivery(Buffer.alloc(0), Buffer.alloc(8, 0xff)), 0)?.message;
    if (received === undefined) throw new Error("it was not read");
    expect(received.properties.timestamp).toBe(2 ** 64);
    expect(toPublishOptionsAgain(received, "1", {}, "dropped").timestamp).toBeUndefined();
    expect(Math.abs(toWireMessage(received).timestamp - Date.now())).toBeLessThan(60_000);
  });
});
