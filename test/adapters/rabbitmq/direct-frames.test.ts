import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import type {
  AmqpConfirm,
  AmqpConnectionState,
  AmqpMessage,
  AmqpProperties,
  AmqpPublishMethod,
} from "../../../adapters/rabbitmq/amqp.js";
import { readDirectly } from "../../../adapters/rabbitmq/read-directly.js";
import { writeDirectly } from "../../../adapters/rabbitmq/write-directly.js";

interface Channel {
  allocate(): { readonly ch: number };
  on(event: "delivery", listener: (message: AmqpMessage) => void): void;
  on(event: "ack", listener: (confirm: AmqpConfirm) => void): void;
  handleDelivery(message: AmqpMessage): void;
  registerConsumer(tag: string, consumer: (message: AmqpMessage) => void): void;
}

type Connection = AmqpConnectionState & { acceptLoop(): void };

interface Encoding {
  readonly BasicPublish: number;
  readonly BasicDeliver: number;
  readonly BasicAck: number;
  readonly BasicProperties: number;
  encodeMethod(method: number, channel: number, fields: object): Buffer;
  encodeProperties(type: number, channel: number, size: number, fields: object): Buffer;
}

/** Of amqplib itself, past what it exports: what is done directly must be what it does. */
async function load<T>(name: string): Promise<T> {
  const module: unknown = await import(new URL(`../../../node_modules/amqplib/lib/${name}.js`, import.meta.url).href);
  return (module as { readonly default: T }).default;
}

const FRAME_MAX = 4_096;

const { Connection: AmqpConnection } = await load<{ Connection: new (socket: Duplex) => Connection }>("connection");
const { BaseChannel } = await load<{ BaseChannel: new (connection: Connection) => Channel }>("channel");
const defs = await load<Encoding>("defs");
const { makeBodyFrame } = await load<{ makeBodyFrame(channel: number, body: Buffer): Buffer }>("frame");

interface Rig {
  readonly socket: Duplex;
  readonly connection: Connection;
  readonly amqp: readonly Channel[];
  readonly written: Buffer[];
  /** By tag `one` and `two`, on a channel each. */
  readonly received: { readonly tag: string; readonly message: AmqpMessage }[];
}

/** A connection that is open, as far as amqplib knows, with two channels. */
function open(prepare: (connection: Connection) => void): Rig {
  const written: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  const connection = new AmqpConnection(socket);
  connection.accept = (frame) => connection.channels[(frame as { channel: number }).channel]?.channel.accept(frame);
  Object.assign(connection, { frameMax: FRAME_MAX, channelMax: 10 });
  prepare(connection);
  const received: { tag: string; message: AmqpMessage }[] = [];
  const amqp = ["one", "two"].map((tag) => {
    const channel = new BaseChannel(connection);
    channel.allocate();
    channel.on("delivery", (message) => channel.handleDelivery(message));
    channel.registerConsumer(tag, (message) => received.push({ tag, message }));
    return channel;
  });
  return { socket, connection, amqp, written, received };
}

interface Sent {
  readonly channel: number;
  readonly method: AmqpPublishMethod;
  readonly properties: AmqpProperties;
  readonly content: Buffer;
}

const FULL: AmqpProperties = {
  contentType: "application/json",
  contentEncoding: "gzip",
  headers: { one: "1", größe: "übergroß €😀", long: "x".repeat(300), empty: "", zero: 0, byte: -128, short: -129 },
  deliveryMode: 2,
  priority: 7,
  correlationId: "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
  replyTo: "amq.gen-Ω",
  expiration: "60000",
  messageId: "m".repeat(255),
  timestamp: 1_795_000_000,
  type: "Response",
  appId: "app",
};
const NUMBERS = { int: 70_000, low: -70_000, big: 1_795_360_959_723, lowest: -1_795_360_959_723 };
const ODD = { list: [1, "two", { three: null }], yes: true, part: 1.5, bytes: Buffer.from("raw") };
const QUEUE = { exchange: "", routingKey: "orders", mandatory: true };

const MESSAGES: readonly Sent[] = [
  { channel: 1, method: QUEUE, properties: {}, content: Buffer.alloc(0) },
  { channel: 1, method: QUEUE, properties: { headers: {} }, content: Buffer.from("body") },
  {
    channel: 2,
    method: { exchange: "x", routingKey: "", mandatory: false },
    properties: FULL,
    content: Buffer.alloc(1_024, 1),
  },
  { channel: 1, method: QUEUE, properties: { headers: NUMBERS }, content: Buffer.alloc(3, 2) },
  { channel: 2, method: QUEUE, properties: { headers: ODD }, content: Buffer.from("left to amqplib") },
  { channel: 1, method: QUEUE, properties: FULL, content: Buffer.alloc(FRAME_MAX - 8, 3) },
  { channel: 2, method: QUEUE, properties: FULL, content: Buffer.alloc(FRAME_MAX - 7, 4) },
  { channel: 1, method: QUEUE, properties: FULL, content: Buffer.alloc(100_000, 5) },
  { channel: 2, method: QUEUE, properties: { headers: { wide: "w".repeat(20_000) } }, content: Buffer.from("wide") },
  { channel: 1, method: QUEUE, properties: { type: "Alive" }, content: Buffer.alloc(20_000, 6) },
];

function send({ connection }: Rig, { channel, method, properties, content }: Sent): boolean {
  return connection.sendMessage(channel, defs.BasicPublish, method, defs.BasicProperties, properties, content);
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Each message by itself, as amqplib encodes it. */
async function encoded(message: Sent): Promise<Buffer> {
  const plain = open(() => {});
  send(plain, message);
  await turns(5);
  return Buffer.concat(plain.written);
}

describe("frames that are written directly", () => {
  it("are those that amqplib would write, byte by byte and in the order of the calls", async () => {
    const direct = open(writeDirectly);
    const expected: Buffer[] = [];
    for (let round = 0; round < 3; round += 1) {
      for (const message of MESSAGES) {
        send(direct, message);
        expected.push(await encoded(message));
      }
    }
    for (const message of MESSAGES) send(direct, message);
    expected.push(...(await Promise.all(MESSAGES.map(encoded))));
    await turns(5);
    expect(Buffer.concat(direct.written).equals(Buffer.concat(expected))).toBe(true);
  });

  it("leave in one piece for each turn, ahead of what is written past them", async () => {
    const direct = open(writeDirectly);
    for (const message of MESSAGES.slice(0, 4)) send(direct, message);
    await turns(1);
    expect(direct.written).toHaveLength(1);
    const [first, second] = MESSAGES;
    if (first === undefined || second === undefined) throw new Error("there are messages");
    send(direct, first);
    direct.connection.stream.write(Buffer.from("heartbeat"));
    send(direct, second);
    await turns(1);
    const wanted = [await encoded(first), Buffer.from("heartbeat"), await encoded(second)];
    expect(Buffer.concat(direct.written.slice(1)).equals(Buffer.concat(wanted))).toBe(true);
  });

  it("are refused as amqplib refuses them, which leaves nothing behind", async () => {
    const direct = open(writeDirectly);
    const refused: AmqpProperties[] = [
      { messageId: "m".repeat(256) },
      { correlationId: "ü".repeat(128) },
      { headers: { ["n".repeat(256)]: "" } },
      { headers: { wide: "w".repeat(70_000) } },
      { type: 5 as unknown as string },
      { timestamp: Number.NaN },
    ];
    for (const properties of refused) {
      const message = { channel: 1, method: QUEUE, properties, content: Buffer.from("x") };
      let error: unknown;
      try {
        send(
          open(() => {}),
          message,
        );
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(Error);
      expect(() => send(direct, message)).toThrow((error as Error).message);
    }
    const [good] = MESSAGES;
    if (good === undefined) throw new Error("there are messages");
    send(direct, good);
    await turns(1);
    expect(Buffer.concat(direct.written).equals(await encoded(good))).toBe(true);
  });

  it("hold a sender up after half a megabyte, until the next turn", async () => {
    const direct = open(writeDirectly);
    let sent = 0;
    while (send(direct, { channel: 1, method: QUEUE, properties: {}, content: Buffer.alloc(50_000) })) sent += 1;
    expect(sent).toBeLessThan(20);
    await turns(2);
    expect(send(direct, { channel: 1, method: QUEUE, properties: {}, content: Buffer.alloc(10) })).toBe(true);
  });
});

describe("messages that are read directly", () => {
  it("are those that amqplib would hand over, however they are cut on their way", async () => {
    const bytes = Buffer.concat(
      MESSAGES.map(({ channel, properties, content }, index) => {
        const tag = channel === 1 ? "one" : "two";
        const fields = {
          consumerTag: tag,
          deliveryTag: index + 1,
          redelivered: index % 2 === 1,
          exchange: "",
          routingKey: "q",
        };
        const pieces = [defs.encodeMethod(defs.BasicDeliver, channel, fields)];
        pieces.push(defs.encodeProperties(defs.BasicProperties, channel, content.length, properties));
        for (let at = 0; at < content.length; at += FRAME_MAX) {
          pieces.push(makeBodyFrame(channel, content.subarray(at, at + FRAME_MAX)));
        }
        return Buffer.concat(pieces);
      }),
    );
    const read = async (prepare: (connection: Connection) => void, step: number): Promise<Rig["received"]> => {
      const rig = open(prepare);
      rig.connection.acceptLoop();
      for (let at = 0; at < bytes.length; at += step) {
        rig.socket.push(bytes.subarray(at, at + step));
        await turns(1);
      }
      return rig.received;
    };
    const plain = await read(() => {}, bytes.length);
    expect(plain).toHaveLength(MESSAGES.length);
    for (const step of [bytes.length, 65_536, 4_099, 509]) {
      const direct = await read(readDirectly, step);
      expect(direct.map(seen)).toEqual(plain.map(seen));
    }
  });

  it("are not handed over once the channel or the connection is closing", async () => {
    const fields = { consumerTag: "one", deliveryTag: 1, redelivered: false, exchange: "", routingKey: "q" };
    const frames = [
      defs.encodeMethod(defs.BasicDeliver, 1, fields),
      defs.encodeProperties(defs.BasicProperties, 1, 0, {}),
    ];
    for (const what of ["channel", "connection"]) {
      const rig = open(readDirectly);
      rig.connection.acceptLoop();
      const closing = what === "connection" ? rig.connection : rig.connection.channels[1]?.channel;
      Object.assign(closing ?? {}, { accept(): void {} });
      rig.socket.push(Buffer.concat(frames));
      await turns(2);
      expect(rig.received).toEqual([]);
    }
  });
});

describe("confirms that are read directly", () => {
  it("reach their channel as amqplib would tell them, in their order, however they are cut on their way", async () => {
    const confirms = [
      { channel: 1, deliveryTag: 1, multiple: false },
      { channel: 2, deliveryTag: 70_000, multiple: true },
      { channel: 1, deliveryTag: 2 ** 40, multiple: true },
    ];
    const bytes = Buffer.concat(
      confirms.map(({ channel, ...fields }) => defs.encodeMethod(defs.BasicAck, channel, fields)),
    );
    for (const prepare of [() => {}, readDirectly]) {
      for (const step of [bytes.length, 20, 3]) {
        const rig = open(prepare);
        const told: object[] = [];
        for (const number of [1, 2]) {
          rig.amqp[number - 1]?.on("ack", ({ deliveryTag, multiple }) => {
            told.push({ channel: number, deliveryTag, multiple });
          });
        }
        rig.connection.acceptLoop();
        for (let at = 0; at < bytes.length; at += step) {
          rig.socket.push(bytes.subarray(at, at + step));
          await turns(1);
        }
        expect(told).toEqual(confirms);
      }
    }
  });
});

/** What is read of it; whoever sees nothing in a property sees undefined. */
function seen({ tag, message: { content, fields, properties } }: Rig["received"][number]): object {
  const { deliveryTag, redelivered } = fields;
  const present = Object.entries(properties).filter(([, value]) => value !== undefined);
  return {
    tag,
    deliveryTag,
    redelivered,
    content: content.toString("latin1"),
    properties: Object.fromEntries(present),
  };
}
