import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import type { AmqpConnectionState } from "../../../adapters/rabbitmq/amqp.js";
import { boundDepth } from "../../../adapters/rabbitmq/header-depth.js";
import { brokerUrl } from "./broker.js";
import { bodyOf, connectDriver, deadLettersOf, eventually, take, testQueue, wire } from "./rig.js";

type Kind = "table" | "list";

interface Decoder {
  decode(id: number, bytes: Buffer): { readonly headers: { readonly deep?: unknown } };
}

const TAG = { table: "F", list: "A" } as const;
/** Of a header frame, in front of the flags. */
const HEAD_BYTES = 12;

const text = (value: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(value)]), Buffer.from(value)]);

function withLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const field = (name: string, tag: string, value: Buffer): Buffer =>
  Buffer.concat([text(name), Buffer.from(tag), withLength(value)]);

/** A field of so many tables or lists within each other, by hand: amqplib's encoder recurses as its decoder does. */
function deep(name: string, levels: number, kind: Kind): Buffer {
  const innerName = kind === "table" ? [0] : [];
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (let level = 1; level < levels; level += 1) {
    const head = Buffer.concat([Buffer.from([...innerName, TAG[kind].charCodeAt(0)]), Buffer.alloc(4)]);
    head.writeUInt32BE(bytes, head.length - 4);
    pieces.push(head);
    bytes += head.length;
  }
  return field(name, TAG[kind], Buffer.concat(pieces.reverse()));
}

function headerPayload(bodyBytes: number, table: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES + 2);
  head.writeUInt16BE(60, 0);
  head.writeUInt32BE(bodyBytes, 8);
  head.writeUInt16BE(0xa000, HEAD_BYTES);
  return Buffer.concat([head, text("text/plain"), withLength(table)]);
}

function frame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(1, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** As another program does; resolves once the broker has it. */
async function publishRaw(exchange: string, routingKey: string, table: Buffer, body: string): Promise<void> {
  const model = await connect(brokerUrl);
  try {
    const channel = await model.createConfirmChannel();
    const confirmed = new Promise<void>((resolve, reject) => {
      channel.on("ack", () => resolve());
      channel.on("error", reject);
      model.on("error", reject);
    });
    const method = Buffer.concat([
      Buffer.from([0, 60, 0, 40, 0, 0]),
      text(exchange),
      text(routingKey),
      Buffer.from([0]),
    ]);
    const { stream } = model.connection as unknown as AmqpConnectionState;
    const frames = [frame(1, method), frame(2, headerPayload(body.length, table)), frame(3, Buffer.from(body))];
    stream.write(Buffer.concat(frames));
    await confirmed;
  } finally {
    await model.close();
  }
}

/** How many levels there are, and what is in the innermost. */
function measured(value: unknown): { levels: number; innermost: unknown } {
  for (let [levels, inner] = [1, value]; ; levels += 1) {
    const [next]: unknown[] = Object.values(inner as object);
    if (next === undefined || Buffer.isBuffer(next)) return { levels, innermost: next };
    inner = next;
  }
}

describe("headers that are nested deeper than anybody writes", () => {
  it("are read for 32 levels, what is deeper as bytes, and what stands beside it as it is", async () => {
    const module: unknown = await import(new URL("../../../node_modules/amqplib/lib/defs.js", import.meta.url).href);
    const { decode } = (module as { default: Decoder }).default;
    const numbers = Buffer.concat([
      text("n"),
      Buffer.from("I"),
      Buffer.from([0, 0, 0, 7]),
      text("v"),
      Buffer.from("V"),
    ]);
    for (const kind of ["table", "list"] as const) {
      for (const levels of [1, 2, 32, 33, 34, 20_000]) {
        const fields = [
          numbers,
          deep("deep", levels, kind),
          field("beside", "S", Buffer.from("text")),
          deep("two", 2, kind),
        ];
        const payload = headerPayload(0, Buffer.concat(fields));
        boundDepth(payload, 0, payload.length);
        const { headers } = decode(60, payload.subarray(HEAD_BYTES));
        expect(headers).toMatchObject({ n: 7, v: null, beside: "text", two: kind === "table" ? { "": {} } : [[]] });
        const { levels: read, innermost } = measured(headers.deep);
        expect(read).toBe(Math.min(levels, 32));
        expect(Buffer.isBuffer(innermost)).toBe(levels > 32);
      }
    }
  });

  it("do not keep their message from being handled, given up, and what is behind it from coming", async () => {
    const link = await connectDriver();
    const queue = testQueue("deep headers");
    const { at, deliveries, lost } = await take(link.connection, queue);
    const depths = [2_900, 5_000, 20_000];
    for (const levels of depths) await publishRaw("", queue.name, deep("deep", levels, "table"), `table ${levels}`);
    await publishRaw("", queue.name, deep("deep", 10_000, "list"), "list");
    await link.connection.publish({ kind: "queue", queue }, wire("behind"));
    await at(depths.length + 1);
    expect(deliveries.map(bodyOf)).toEqual([...depths.map((levels) => `table ${levels}`), "list", "behind"]);
    expect(deliveries[0]?.message.headers.deep).toContain('"Buffer"');
    for (const delivery of deliveries.slice(0, 2)) {
      expect(await delivery.settle({ deadLetter: delivery.message.headers })).toBe(true);
    }
    const dead = await take(link.connection, deadLettersOf(queue));
    await dead.at(1);
    expect(dead.deliveries.map(bodyOf)).toEqual(["table 2900", "table 5000"]);
    await deliveries[3]?.settle({ retryInMs: 0, headers: { ...deliveries[3].message.headers, tried: "once" } });
    const { message } = await at(5);
    expect(message.headers).toEqual({ ...deliveries[3]?.message.headers, tried: "once" });
    expect([lost, link.lost]).toEqual([[], []]);
  });

  it("do not end a subscription", async () => {
    const link = await connectDriver();
    const { name } = testQueue("deep broadcast");
    const bodies: string[] = [];
    const lost: unknown[] = [];
    await link.connection.subscribe(
      name,
      "node",
      ({ body }) => bodies.push(Buffer.from(body).toString()),
      (error) => lost.push(error),
    );
    const scope = field("Scope", "S", Buffer.from("all"));
    for (const levels of [2_900, 5_000]) {
      await publishRaw(name, "", Buffer.concat([scope, deep("deep", levels, "table")]), String(levels));
    }
    await eventually(() => bodies.length === 2, "both");
    expect([bodies, lost, link.lost]).toEqual([["2900", "5000"], [], []]);
  });
});
