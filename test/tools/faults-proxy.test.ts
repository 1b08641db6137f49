import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { waitUntil } from "../../tools/process/wait-until.js";
import { atAmqpStep } from "../../tools/proxy/amqp-steps.js";
import { afterBytes, startTcpProxy, type TcpProxy } from "../../tools/proxy/tcp-proxy.js";

interface End {
  readonly socket: Socket;
  readonly events: string[];
  received: string;
}

function watch(socket: Socket): End {
  const end: End = { socket, events: [], received: "" };
  socket.on("data", (chunk: Buffer) => {
    end.received += chunk.toString("latin1");
  });
  socket.on("end", () => end.events.push("end"));
  socket.on("error", (error) => end.events.push((error as NodeJS.ErrnoException).code ?? "error"));
  socket.on("close", () => end.events.push("close"));
  onTestFinished(() => void socket.destroy());
  return end;
}

/** A server that only listens, a proxy before it, and a way to connect through that. */
async function rig(): Promise<{ proxy: TcpProxy; pair(): Promise<{ client: End; server: End }> }> {
  const accepted: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => accepted.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startTcpProxy((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.stop();
    server.close();
  });
  return {
    proxy,
    async pair() {
      const before = accepted.length;
      const client = watch(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
      await eventually(() => accepted.length > before, "the server to accept");
      const socket = accepted[before];
      if (socket === undefined) throw new Error("unreachable");
      return { client, server: watch(socket) };
    },
  };
}

const eventually = (condition: () => boolean, what: string): Promise<void> =>
  waitUntil(condition, { what, timeoutMs: 20_000, intervalMs: 2 });

describe("the TCP proxy", () => {
  it("passes everything on, both ways, and the end", async () => {
    const { proxy, pair } = await rig();
    const { client, server } = await pair();
    client.socket.write("hello");
    await eventually(() => server.received === "hello", "hello");
    server.socket.end("world");
    await eventually(() => client.received === "world" && client.events.includes("end"), "world and its end");
    client.socket.end("bye");
    await eventually(() => server.received === "hellobye" && server.events.includes("close"), "bye and the close");
    await eventually(() => proxy.connections === 0, "no connection");
    expect([proxy.clientBytes, proxy.serverBytes]).toEqual([8, 5]);
  });

  it("resets both ends", async () => {
    const { proxy, pair } = await rig();
    const { client, server } = await pair();
    proxy.cut();
    await eventually(() => client.events.includes("close") && server.events.includes("close"), "both to close");
    expect([client.events[0], server.events[0]]).toEqual(["ECONNRESET", "ECONNRESET"]);
  });

  it("stalls one direction, and loses nothing of it", async () => {
    const { proxy, pair } = await rig();
    const { client, server } = await pair();
    proxy.stall("client");
    client.socket.write("x".repeat(1_000_000));
    server.socket.write("heard");
    await eventually(() => client.received === "heard", "the other direction");
    expect(server.received).toBe("");
    proxy.resume();
    await eventually(() => server.received.length === 1_000_000, "all of it");
  });

  it("slows down by a delay and by a rate", async () => {
    const { proxy, pair } = await rig();
    proxy.slow({ delayMs: 60, bytesPerSecond: 1_000 });
    const { client, server } = await pair();
    const startedAt = performance.now();
    client.socket.write("x".repeat(100));
    await eventually(() => server.received.length === 100, "all of it");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(130);
  });

  it.each(["client", "server"] as const)("makes the %s go, and does not tell the other", async (gone) => {
    const { proxy, pair } = await rig();
    const ends = await pair();
    const left = gone === "client" ? ends.server : ends.client;
    proxy.harm({ kind: "half-open", gone });
    await eventually(() => ends[gone].events.includes("close"), "the one that is gone");
    left.socket.write("is anybody there?");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect([left.events, ends[gone].received]).toEqual([[], ""]);
    left.socket.end();
    await eventually(() => proxy.connections === 0, "no connection");
  });

  it("closes one direction and leaves the other", async () => {
    const { proxy, pair } = await rig();
    const { client, server } = await pair();
    proxy.harm({ kind: "half-closed", by: "server" });
    await eventually(() => client.events.includes("end"), "the end");
    client.socket.write("still here");
    await eventually(() => server.received === "still here", "the other direction");
  });

  it.each([0, 3, 7])("springs a trap after %i bytes of a client", async (bytes) => {
    const { proxy, pair } = await rig();
    proxy.setTrap({ fault: { kind: "stall", from: "client" }, watch: afterBytes("client", bytes) });
    const { client, server } = await pair();
    client.socket.write("12345");
    client.socket.write("6789");
    await eventually(() => proxy.trapped === 1, "the trap");
    await eventually(() => server.received.length === bytes, `${bytes} bytes`);
    proxy.resume();
    await eventually(() => server.received === "123456789", "the rest");
  });

  it.each(["before", "within", "after"] as const)("finds an AMQP method, whole or in pieces: %s", (part) => {
    const frames = Buffer.concat([frame(60, 20, 9), Buffer.from([8, 0, 0, 0, 0, 0, 0, 0xce]), frame(60, 40, 5)]);
    const stream = Buffer.concat([Buffer.from("AMQP\0\0\x09\x01", "latin1"), frames, frame(60, 40, 30)]);
    const begin = 8 + frames.length;
    const expected = { before: begin, within: begin + 11, after: stream.length }[part];
    const whole = atAmqpStep("client", "basic.publish", part, 2)();
    expect([whole("server", stream), whole("client", stream)]).toEqual([undefined, expected]);
    // What is sent byte by byte is recognised with the last byte of its head.
    const inPieces = atAmqpStep("client", "basic.publish", part, 2)();
    const at = [...stream].findIndex((byte) => inPieces("client", Buffer.from([byte])) !== undefined);
    expect(at).toBe(part === "after" ? stream.length - 1 : begin + 10);
  });
});

function frame(classId: number, methodId: number, more: number): Buffer {
  const payload = Buffer.alloc(4 + more);
  payload.writeUInt16BE(classId, 0);
  payload.writeUInt16BE(methodId, 2);
  const head = Buffer.alloc(7);
  head[0] = 1;
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}
