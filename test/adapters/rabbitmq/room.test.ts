import { Duplex } from "node:stream";
import { describe, expect, it } from "vitest";
import type {
  AmqpConfirm,
  AmqpConfirmChannel,
  AmqpConnectionState,
  AmqpProperties,
} from "../../../adapters/rabbitmq/amqp.js";
import { ConfirmingChannel, type PendingPublish } from "../../../adapters/rabbitmq/confirming-channel.js";
import { OutgoingFrames } from "../../../adapters/rabbitmq/outgoing-frames.js";
import { WaitingPublishes } from "../../../adapters/rabbitmq/waiting-publishes.js";
import { writeDirectly } from "../../../adapters/rabbitmq/write-directly.js";

type Channel = AmqpConfirmChannel & {
  allocate(): unknown;
  emit(event: "ack", confirm: AmqpConfirm): void;
  emit(event: "error", error: Error): void;
  emit(event: "close"): void;
};
type Connection = AmqpConnectionState & { accept(frame: unknown): void };

async function load<T>(name: string): Promise<T> {
  const module: unknown = await import(new URL(`../../../node_modules/amqplib/lib/${name}.js`, import.meta.url).href);
  return (module as { readonly default: T }).default;
}

const { Connection: AmqpConnection } = await load<{ Connection: new (socket: Duplex) => Connection }>("connection");
const { BaseChannel } = await load<{ BaseChannel: new (connection: Connection) => Channel }>("channel");

const BODY = Buffer.alloc(100_000);
const SMALL: AmqpProperties = { type: "Alive" };
const INBOX = { exchange: "", routingKey: "inbox", mandatory: true };
/** What core lets out before the broker confirms. */
const UNCONFIRMED = 160;
const PUBLISHES = 1_000;

class Publish implements PendingPublish {
  readonly exchange: string;
  readonly routingKey = "orders";
  readonly mandatory = true;
  readonly content = BODY;
  readonly options = { headers: {} };
  readonly #name: string;
  readonly #told: (what: string) => void;

  constructor(name: string, told: (what: string) => void, exchange = "") {
    this.exchange = exchange;
    this.#name = name;
    this.#told = told;
  }

  sending(): void {
    this.#told(`${this.#name} sent`);
  }

  confirmed(): void {
    this.#told(`${this.#name} confirmed`);
  }

  unsent(): void {
    this.#told(`${this.#name} unsent`);
  }

  leftBehind(): void {
    this.#told(`${this.#name} left behind`);
  }

  refused(): void {
    this.#told(`${this.#name} refused`);
  }

  returned(): void {
    this.#told(`${this.#name} returned`);
  }

  failed(): void {
    this.#told(`${this.#name} failed`);
  }
}

/** A socket that is always slower than what is written to it, with two channels; the first has its confirms. */
function open(onWritten: (bytes: number) => void): { socket: Duplex; confirms: Channel; frames: Channel } {
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        onWritten(chunk.byteLength);
        done();
      });
    },
  });
  const connection = new AmqpConnection(socket);
  Object.assign(connection, { frameMax: 131_072, channelMax: 10, accept() {} });
  writeDirectly(connection);
  const [confirms, frames] = [new BaseChannel(connection), new BaseChannel(connection)];
  for (const channel of [confirms, frames]) channel.allocate();
  Object.assign(confirms, { close: async () => {} });
  return { socket, confirms, frames };
}

describe("room on a link", () => {
  it("comes for frames while publishes take all that there is", async () => {
    let written = 0;
    let confirmed = 0;
    let published = 0;
    const rig = open((bytes) => {
      written += bytes;
      const upTo = Math.floor(written / (BODY.byteLength + 200));
      if (upTo > confirmed) rig.confirms.emit("ack", { deliveryTag: upTo, multiple: true });
    });
    const channel = new ConfirmingChannel(rig.confirms, () => {});
    const publish = (): void => {
      published += 1;
      if (published > PUBLISHES) return;
      const told = (what: string): void => {
        if (!what.endsWith("confirmed")) return;
        confirmed += 1;
        publish();
      };
      channel.send(new Publish(String(published), told));
    };
    for (let index = 0; index < UNCONFIRMED; index += 1) publish();
    let drains = 0;
    rig.frames.on("drain", () => {
      drains += 1;
    });
    expect(rig.frames.sendMessage(INBOX, SMALL, Buffer.from("x"))).toBe(false);
    let most = 0;
    while (confirmed < PUBLISHES / 2) {
      most = Math.max(most, rig.socket.writableLength);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(drains).toBeGreaterThan(10);
    expect(most).toBeLessThan(2 * 1024 * 1024);
  });

  it("is waited for in the order of the calls; what waits when the broker refuses one is not sent here", () => {
    const told: string[] = [];
    const rig = open(() => {});
    const channel = new ConfirmingChannel(rig.confirms, () => told.push("unusable"));
    for (let index = 0; index < 10; index += 1) channel.send(new Publish(String(index), (what) => told.push(what)));
    const sent = told.length;
    expect(sent).toBeLessThan(10);
    expect(told).toEqual(Array.from({ length: sent }, (_, index) => `${index} sent`));
    rig.confirms.emit("nack" as "ack", { deliveryTag: 1, multiple: false });
    const unsent = Array.from({ length: 10 - sent }, (_, index) => `${sent + index} unsent`);
    expect(told.slice(sent)).toEqual(["unusable", ...unsent, "0 refused"]);
  });

  it("never comes on a channel that is lost: what waited for it is told apart, though what was sent found no ladder", () => {
    const told: string[] = [];
    const rig = open(() => {});
    const channel = new ConfirmingChannel(rig.confirms, () => told.push("unusable"));
    const publish = (name: string): Publish => new Publish(name, (what) => told.push(what), "fairlead.delay.05");
    for (let index = 0; index < 10; index += 1) channel.send(publish(String(index)));
    const sent = told.splice(0).length;
    expect(sent).toBeLessThan(10);
    const missing = new Error("NOT_FOUND - no exchange 'fairlead.delay.05' in vhost '/'");
    rig.confirms.emit("error", Object.assign(missing, { code: 404 }));
    rig.confirms.emit("close");
    expect(told).toEqual([
      "unusable",
      ...Array.from({ length: sent }, (_, index) => `${index} returned`),
      ...Array.from({ length: 10 - sent }, (_, index) => `${sent + index} left behind`),
    ]);
  });

  it("that publishes waited for when several were refused at once: all go on in the order of the calls", () => {
    const waiting = new WaitingPublishes<{ readonly number: number }>();
    const again = (what: string): void => {
      if (/ (unsent|refused)$/.test(what)) waiting.push({ number: Number.parseInt(what, 10) });
    };
    const rig = open(() => {});
    const channel = new ConfirmingChannel(rig.confirms, () => {});
    for (let index = 0; index < 10; index += 1) channel.send(new Publish(String(index), again));
    rig.confirms.emit("nack" as "ack", { deliveryTag: 10, multiple: true });
    waiting.push({ number: 10 });
    const order: (number | undefined)[] = [];
    while (waiting.size > 0) order.push(waiting.shift()?.number);
    expect(order).toEqual(Array.from({ length: 11 }, (_, number) => number));
  });

  it("comes back when all is written, not with the next write that fits", async () => {
    const open: (() => void)[] = [];
    const socket = new Duplex({
      writableHighWaterMark: 1_000,
      read() {},
      write(_chunk, _encoding, done) {
        open.push(done);
      },
    });
    const rooms: boolean[] = [];
    const frames: OutgoingFrames = new OutgoingFrames(socket, () => rooms.push(frames.hasRoom));
    const write = (bytes: number): void => {
      frames.append(Buffer.alloc(bytes));
      frames.flush();
    };
    write(900);
    write(200);
    expect(frames.hasRoom).toBe(false);
    open.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
    write(100);
    expect([frames.hasRoom, rooms]).toEqual([false, []]);
    while (socket.writableLength > 0) {
      open.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([frames.hasRoom, rooms]).toEqual([true, [true]]);
  });
});
