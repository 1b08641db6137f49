import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { brokerPort } from "./broker.js";

const METHOD = 1;
const HEADER = 2;
const BODY = 3;
const FRAME_END = 0xce;
const CHANNEL_CLOSE = [20, 40] as const;
const CHANNEL_OPEN_OK = [20, 11] as const;

/** A proxy before the broker that lets a delivery follow on each channel that the broker has closed. */
export interface LateFramesProxy {
  readonly url: string;
  /** The channels that the broker has closed, in order, over all connections. */
  readonly closed: number[];
  /** The channels that the broker has opened, in order. */
  readonly opened: number[];
  /** How many late deliveries were sent. */
  readonly late: number;
}

/**
 * The broker's own race, made certain: behind its Channel.Close, and again behind each later Channel.OpenOk on the connection,
 * there is one more whole delivery for the closed channel.
 */
export async function lateFrames(): Promise<LateFramesProxy> {
  const sockets = new Set<Socket>();
  const closed: number[] = [];
  const opened: number[] = [];
  let late = 0;
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: "127.0.0.1", port: brokerPort, noDelay: true });
    const closedHere: number[] = [];
    let rest = Buffer.alloc(0);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (let size = frameSize(rest); size !== undefined; size = frameSize(rest)) {
        const frame = rest.subarray(0, size);
        rest = rest.subarray(size);
        client.write(frame);
        const channel = frame.readUInt16BE(1);
        if (isMethod(frame, CHANNEL_CLOSE)) {
          closed.push(channel);
          closedHere.push(channel);
        } else if (isMethod(frame, CHANNEL_OPEN_OK)) opened.push(channel);
        else continue;
        for (const number of closedHere) client.write(delivery(number));
        late += closedHere.length;
      }
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(async () => {
    const ended = once(listener, "close");
    listener.close();
    for (const socket of sockets) socket.destroy();
    await ended;
  });
  const { port } = listener.address() as AddressInfo;
  return {
    url: `amqp://127.0.0.1:${port}`,
    closed,
    opened,
    get late() {
      return late;
    },
  };
}

/** Of the first frame, once it is whole. */
function frameSize(bytes: Buffer): number | undefined {
  if (bytes.length < 7) return undefined;
  const size = 8 + bytes.readUInt32BE(3);
  return bytes.length < size ? undefined : size;
}

function isMethod(frame: Buffer, [classId, methodId]: readonly [number, number]): boolean {
  return frame[0] === METHOD && frame.readUInt16BE(7) === classId && frame.readUInt16BE(9) === methodId;
}

/** Method, header and body, as to a consumer. */
function delivery(channel: number): Buffer {
  const tag = Buffer.alloc(9);
  tag[7] = 1;
  const method = Buffer.concat([shorts(60, 60), text("amq.ctag-late"), tag, text(""), text("late")]);
  const header = Buffer.concat([shorts(60, 0, 0, 0, 0, 4), shorts(0)]);
  return Buffer.concat([
    frameOf(METHOD, channel, method),
    frameOf(HEADER, channel, header),
    frameOf(BODY, channel, Buffer.from("late")),
  ]);
}

function frameOf(type: number, channel: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(7);
  head[0] = type;
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.of(FRAME_END)]);
}

function shorts(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 0xff)));
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
}
