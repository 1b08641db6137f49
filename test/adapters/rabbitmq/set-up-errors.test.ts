import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { connectError } from "./connect-error.js";
import { eventually } from "./rig.js";

interface Encoding {
  readonly ConnectionStart: number;
  readonly ConnectionTune: number;
  readonly ConnectionOpenOk: number;
  readonly ConnectionClose: number;
  readonly ChannelOpenOk: number;
  encodeMethod(method: number, channel: number, fields: object): Buffer;
}

const file = new URL("../../../node_modules/amqplib/lib/defs.js", import.meta.url);
const { default: defs } = (await import(file.href)) as { readonly default: Encoding };

const GREETING_BYTES = 8;
const CHANNEL_OPEN = Buffer.from([0, 20, 0, 10]);

function close(replyCode: number): Buffer {
  return defs.encodeMethod(defs.ConnectionClose, 0, { replyCode, replyText: "ENDED", classId: 0, methodId: 0 });
}

/**
 * What no real broker can be made to do: says this in one piece with its last answer of the set-up, on the connection for
 * this purpose, and answers all else well. Resolves with its URL and its open connections.
 */
async function startServer(purpose: string, behind: Buffer): Promise<{ readonly url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let said = Buffer.alloc(0);
    let answers = 0;
    const answer = (method: number, fields: object, ...more: Buffer[]): void => {
      said = Buffer.alloc(0);
      answers += 1;
      socket.write(Buffer.concat([defs.encodeMethod(method, 0, fields), ...more]));
    };
    let isChosen = false;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      said = Buffer.concat([said, chunk]);
      isChosen ||= said.includes(`(${purpose})`);
      if (answers === 0 && said.length >= GREETING_BYTES) {
        const texts = { mechanisms: Buffer.from("PLAIN"), locales: Buffer.from("en_US") };
        const serverProperties = { version: "3.10.8" };
        answer(defs.ConnectionStart, { versionMajor: 0, versionMinor: 9, serverProperties, ...texts });
      } else if (answers === 1 && said.at(-1) === 0xce) {
        answer(defs.ConnectionTune, { channelMax: 2_047, frameMax: 131_072, heartbeat: 10 });
      } else if (answers === 2 && said.includes(Buffer.from([0, 10, 0, 40]))) {
        answer(defs.ConnectionOpenOk, { knownHosts: "" }, ...(isChosen ? [behind] : []));
      } else if (answers === 3 && said.includes(CHANNEL_OPEN)) {
        answers += 1;
        socket.write(defs.encodeMethod(defs.ChannelOpenOk, 1, { channelId: Buffer.alloc(0) }));
      }
    });
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `amqp://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
}

describe("what ends a rabbitmq connection together with the last answer of its set-up", () => {
  it.each([
    ["a close for a reason", close(541)],
    ["a close for none", close(320)],
    ["what is no frame", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["a frame of no channel", defs.encodeMethod(defs.ChannelOpenOk, 9, { channelId: Buffer.alloc(0) })],
  ])("%s: connecting is refused as UNAVAILABLE, and nothing stays open", async (_, behind) => {
    for (const purpose of ["publishing", "consuming"]) {
      const { url, sockets } = await startServer(purpose, behind);
      const error = await connectError({ url });
      expect([error.code, error.retryable]).toEqual(["UNAVAILABLE", true]);
      await eventually(() => sockets.size === 0, "both connections to be closed");
    }
  });
});
