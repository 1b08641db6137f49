import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";

/** One protobuf field: a varint, or bytes. */
export type Field = readonly [number: number, value: bigint | Buffer];

const VARINT = 0;
const BYTES = 2;

/** Protobuf from field numbers alone. */
export function encode(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([number, value]) =>
      typeof value === "bigint"
        ? Buffer.concat([varint(BigInt((number << 3) | VARINT)), varint(BigInt.asUintN(64, value))])
        : Buffer.concat([varint(BigInt((number << 3) | BYTES)), varint(BigInt(value.length)), value]),
    ),
  );
}

export function decode(bytes: Buffer): Map<number, bigint | Buffer> {
  const fields = new Map<number, bigint | Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const tag = readVarint(bytes, at);
    const value = readVarint(bytes, tag.end);
    const number = Number(tag.value >> 3n);
    if ((tag.value & 7n) === BigInt(VARINT)) {
      fields.set(number, value.value);
      at = value.end;
    } else if ((tag.value & 7n) === BigInt(BYTES)) {
      at = value.end + Number(value.value);
      fields.set(number, bytes.subarray(value.end, at));
    } else {
      throw new Error(`field ${number} has a wire type that the contract does not use`);
    }
  }
  return fields;
}

export const text = (value: string): Buffer => Buffer.from(value, "utf8");

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function readVarint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n;
  for (let at = start; ; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw new Error("the message ends within a number");
    value |= BigInt(byte & 127) << BigInt(7 * (at - start));
    if (byte < 128) return { value, end: at + 1 };
  }
}

/** One call: its messages as they arrive, its status once it has ended. */
export class WireCall {
  readonly messages: Buffer[] = [];
  readonly stream: ClientHttp2Stream;
  /** Resolves with the status code. */
  readonly ended: Promise<number>;
  headersCame = false;
  details = "";
  trailers: IncomingHttpHeaders = {};
  #buffered: Buffer = Buffer.alloc(0);

  constructor(stream: ClientHttp2Stream, onTrailers: () => void, onMessage: (message: Buffer) => void) {
    this.stream = stream;
    this.ended = new Promise((resolve, reject) => {
      const take = (headers: IncomingHttpHeaders): void => {
        const status = headers["grpc-status"];
        if (status === undefined) return;
        this.trailers = headers;
        this.details = decodeURIComponent(String(headers["grpc-message"] ?? ""));
        onTrailers();
        resolve(Number(status));
      };
      stream.on("response", (headers) => {
        this.headersCame = true;
        take(headers);
      });
      stream.on("trailers", take);
      stream.on("error", reject);
      stream.on("close", () => reject(new Error("the call was cut off without a status")));
    });
    this.ended.catch(() => {});
    stream.on("data", (chunk: Buffer) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk]);
      while (this.#buffered.length >= 5) {
        const end = 5 + this.#buffered.readUInt32BE(1);
        if (this.#buffered.length < end) return;
        const message = this.#buffered.subarray(5, end);
        this.#buffered = this.#buffered.subarray(end);
        this.messages.push(message);
        onMessage(message);
      }
    });
  }

  send(message: Buffer): void {
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    this.stream.write(Buffer.concat([frame, message]));
  }
}

/** A gRPC client that knows HTTP/2 and the field numbers, and nothing else. */
export class WireClient {
  readonly session: ClientHttp2Session;
  /** What arrived, in order. */
  readonly log: string[] = [];

  constructor(address: string) {
    this.session = connect(`http://${address}`);
    this.session.on("error", () => {});
  }

  call(path: string, message: Buffer, name = path): WireCall {
    const call = this.open(path, {}, name);
    call.send(message);
    call.stream.end();
    return call;
  }

  /** A call whose messages are sent one by one. */
  open(path: string, headers: Readonly<Record<string, string>> = {}, name = path): WireCall {
    const stream = this.session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return new WireCall(
      stream,
      () => this.log.push(`${name} ended`),
      () => this.log.push(`${name} message`),
    );
  }

  close(): void {
    this.session.destroy();
  }
}
