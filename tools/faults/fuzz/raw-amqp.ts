import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { becomes } from "../round/becomes.js";

export interface RawMessage {
  readonly exchange: string;
  readonly routingKey: string;
  /** As the wire has it: flags and values. */
  readonly properties: Buffer;
  readonly body: Buffer;
}

const PROTOCOL_HEADER = Buffer.from("AMQP\u0000\u0000\u0009\u0001", "latin1");
const FRAME = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;
const FRAME_END = 0xce;
const HEAD_BYTES = 7;
const BASIC = 60;
const ANSWER_MS = 20_000;

/** Speaks AMQP 0-9-1 by itself, so that it can say what a client library would not. One channel, with confirms. */
export class RawAmqp {
  readonly #socket: Socket;
  #rest = Buffer.alloc(0);
  #published = 0;
  readonly #unconfirmed = new Set<number>();
  /** By class and method; of each the last. */
  readonly #answers = new Map<string, Buffer>();
  #trouble: string | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error.message));
    socket.on("close", () => this.#fail("the connection was closed"));
  }

  /** As the user guest, who may do everything. */
  static async open(port: number): Promise<RawAmqp> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    const own = new RawAmqp(socket);
    socket.write(PROTOCOL_HEADER);
    await own.#answer(10, 10);
    own.#method(0, 10, 11, longText(""), shortText("PLAIN"), longText("\u0000guest\u0000guest"), shortText("en_US"));
    const tune = await own.#answer(10, 30);
    own.#method(0, 10, 31, tune.subarray(4, 10), Buffer.alloc(2));
    own.#method(0, 10, 40, shortText("/"), shortText(""), Buffer.from([0]));
    await own.#answer(10, 41);
    own.#method(1, 20, 10, shortText(""));
    await own.#answer(20, 11);
    own.#method(1, 85, 10, Buffer.from([0]));
    await own.#answer(85, 11);
    return own;
  }

  publish({ exchange, routingKey, properties, body }: RawMessage): void {
    this.#method(1, BASIC, 40, Buffer.alloc(2), shortText(exchange), shortText(routingKey), Buffer.from([0]));
    const head = Buffer.alloc(12);
    head.writeUInt16BE(BASIC, 0);
    head.writeBigUInt64BE(BigInt(body.length), 4);
    this.#frame(FRAME.header, 1, Buffer.concat([head, properties]));
    if (body.length > 0) this.#frame(FRAME.body, 1, body);
    this.#published += 1;
    this.#unconfirmed.add(this.#published);
  }

  /** Resolves when the broker has taken all that was published, or let it go; rejects when it will not. */
  async confirmed(): Promise<void> {
    await becomes(() => this.#unconfirmed.size === 0 || this.#trouble !== undefined, ANSWER_MS);
    if (this.#trouble !== undefined) throw new Error(`the broker ended it: ${this.#trouble}`);
    if (this.#unconfirmed.size > 0)
      throw new Error(`${this.#unconfirmed.size} of ${this.#published} are not confirmed`);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #answer(group: number, method: number): Promise<Buffer> {
    const key = `${group}.${method}`;
    await becomes(() => this.#answers.has(key) || this.#trouble !== undefined, ANSWER_MS);
    const answer = this.#answers.get(key);
    if (answer === undefined) throw new Error(`no ${key} from the broker: ${this.#trouble ?? "nothing came"}`);
    return answer;
  }

  #method(channel: number, group: number, method: number, ...values: readonly Buffer[]): void {
    const head = Buffer.alloc(4);
    head.writeUInt16BE(group, 0);
    head.writeUInt16BE(method, 2);
    this.#frame(FRAME.method, channel, Buffer.concat([head, ...values]));
  }

  #frame(type: number, channel: number, payload: Buffer): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = type;
    head.writeUInt16BE(channel, 1);
    head.writeUInt32BE(payload.length, 3);
    this.#socket.write(Buffer.concat([head, payload, Buffer.from([FRAME_END])]));
  }

  #read(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#rest.length < HEAD_BYTES) return;
      const end = HEAD_BYTES + this.#rest.readUInt32BE(3);
      if (this.#rest.length <= end) return;
      if (this.#rest[0] === FRAME.method) this.#take(this.#rest.subarray(HEAD_BYTES, end));
      this.#rest = this.#rest.subarray(end + 1);
    }
  }

  #take(payload: Buffer): void {
    const key = `${payload.readUInt16BE(0)}.${payload.readUInt16BE(2)}`;
    this.#answers.set(key, payload);
    if (key === "60.80" || key === "60.120") {
      const number = Number(payload.readBigUInt64BE(4));
      const isForAllUpToIt = (payload[12] ?? 0) % 2 === 1;
      for (const open of isForAllUpToIt ? [...this.#unconfirmed] : [number]) {
        if (open <= number) this.#unconfirmed.delete(open);
      }
    }
    if (key === "10.50" || key === "20.40") this.#fail(payload.subarray(7, 7 + (payload[6] ?? 0)).toString("utf8"));
  }

  #fail(what: string): void {
    this.#trouble ??= what;
  }
}

export function shortText(text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function longText(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
