import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createEventsClient, createInspectionClient, createSinkClient } from "../../adapters/grpc/index.js";
import { callerAt } from "../../adapters/grpc/security/caller.js";
import { askToken } from "../../adapters/grpc/security/client-token.js";
import { TlsIntake } from "../../adapters/grpc/security/tls-intake.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { until } from "../adapters/grpc/rig.js";
import { certificate, postOutcome, SecureServer } from "./secure-server.js";

const TOKEN = "first-token-0123456789";
const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0).reverse()) await close();
});

/** Frames of HTTP/2 as they are on the wire: no client of ours sends a header twice. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function literal(name: string, value: string): Buffer {
  const text = (one: string): Buffer => Buffer.concat([Buffer.from([Buffer.byteLength(one)]), Buffer.from(one)]);
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

describe("two headers authorization", () => {
  it.each([
    ["a right one first", [TOKEN, "wrong-token-0123456789"], 0],
    ["a wrong one first", ["wrong-token-0123456789", TOKEN], 0],
    ["the right one twice", [TOKEN, TOKEN], 0],
    ["one alone is taken", [TOKEN], 1],
  ])("%s", async (_, tokens, posts) => {
    const server = await SecureServer.start({ tokens: { entries: { one: { token: TOKEN, post: "*" } } } });
    closing.push(() => server.close());
    const socket = connect(Number(server.address.split(":").at(-1)), "127.0.0.1");
    closing.push(() => socket.destroy());
    let got = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      got = Buffer.concat([got, bytes]);
    });
    socket.on("error", () => undefined);
    const headers = Buffer.concat([
      Buffer.from([0x83, 0x86]),
      literal(":path", "/queue.QueueApi/PostEvent"),
      literal(":authority", "localhost"),
      literal("content-type", "application/grpc"),
      literal("te", "trailers"),
      ...tokens.map((token) => literal("authorization", `Bearer ${token}`)),
    ]);
    const event = Buffer.from([0, 0, 0, 0, 7, 0x0a, 1, 0x61, 0x1a, 2, 0x7b, 0x7d]);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.concat([frame(4, 0, 0), frame(1, 4, 1, headers), frame(0, 1, 1, event)]));
    // A frame of headers with the end of the stream: type 1, flags 4 and 1, stream 1.
    const end = Buffer.from([1, 5, 0, 0, 0, 1]);
    await until(() => got.includes(end));
    expect((await server.messaging.inspection?.counts("events").catch(() => undefined))?.ready ?? 0).toBe(posts);
    if (posts > 0) return;
    const [refusal] = server.told("client-refused");
    expect(refusal?.reason).toContain('not one "Bearer" and a token');
  });
});

it("a token function that never settles fails its call after 30 s", async () => {
  vi.useFakeTimers();
  const outcome = askToken(() => new Promise<string>(() => {})).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(29_999);
  const isOver = await Promise.race([outcome.then(() => true), Promise.resolve(false)]);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await outcome).toMatchObject({ code: "UNAUTHENTICATED", message: expect.stringContaining("30000 ms") });
  expect(vi.getTimerCount()).toBe(0);
  expect(await askToken(() => Promise.resolve(TOKEN))).toBe(`Bearer ${TOKEN}`);
  expect(await askToken(() => TOKEN)).toBe(`Bearer ${TOKEN}`);
  expect(vi.getTimerCount()).toBe(0);
});

it.skipIf(process.platform === "win32")(
  "tokens from what is no regular file are used, and it is told that they stay",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-pipe-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const pipe = join(folder, "tokens");
    execFileSync("sh", ["-c", 'mkfifo -m 600 "$0"', pipe]);
    const entries = JSON.stringify({ one: { token: TOKEN, post: "*" } });
    const writer = spawn("sh", ["-c", 'printf %s "$1" > "$0"', pipe, entries], { stdio: "ignore" });
    closing.push(() => writer.kill());
    const server = await SecureServer.start({ tokens: { file: pipe } });
    closing.push(() => server.close());
    expect(server.told("credentials")).toEqual([
      { type: "credentials", source: pipe, warning: expect.stringContaining("no regular file") },
    ]);
    expect(await postOutcome(server.client({ token: TOKEN }))).toMatchObject({ code: status.OK });
  },
);

describe("names of client certificates", () => {
  const intakeOf = (accepted: TLSSocket[]): TlsIntake =>
    new TlsIntake({
      context: { cert: certificate("server.pem"), key: certificate("server.key"), ca: certificate("ca.pem") },
      requiresCertificate: true,
      handshakeTimeoutMs: 20_000,
      onSecure: (socket) => accepted.push(socket),
      onRefused: () => {},
    });

  it("are of no connection whose ends are not known", () => {
    const intake = intakeOf([]);
    expect(intake.namesOf({})).toBeUndefined();
    expect(intake.namesOf({ localAddress: "127.0.0.1", localPort: 1, remoteAddress: "127.0.0.1" })).toBeUndefined();
  });

  it("are not kept for a connection that has no other end any more: it is cut", async () => {
    const accepted: TLSSocket[] = [];
    // As what is left of a socket, it knows no addresses.
    const [near, far] = duplexPair();
    intakeOf(accepted).take(near as Socket);
    const client = connectTls({
      socket: far,
      ca: certificate("ca.pem"),
      cert: certificate("client.pem"),
      key: certificate("client.key"),
      servername: "events.test",
      ALPNProtocols: ["h2"],
    });
    closing.push(() => client.destroy());
    client.on("error", () => undefined);
    client.resume();
    await new Promise((resolve) => near.once("close", resolve));
    expect(client.authorized).toBe(true);
    expect(accepted).toEqual([]);
  });
});

it("a client without a name is counted by its network", () => {
  const keyOf = (remoteAddress: string): string => callerAt({ remoteAddress, remotePort: 1 }, undefined).key;
  expect(keyOf("2001:db8:0:1::1")).toBe(keyOf("2001:db8:0:1:ffff::2"));
  expect(keyOf("2001:db8:0:1::1")).not.toBe(keyOf("2001:db8:0:2::1"));
  expect(keyOf("192.0.2.1")).not.toBe(keyOf("192.0.2.2"));
});

describe("tokens of clients", () => {
  it.each([
    "10.0.0.1:10001",
    "events.example:10001",
    "0.0.0.0:1",
    "[::]:1",
    "localhost.example:1",
    "127.0.0.1.example:1",
  ])("do not travel in plaintext to %s unless told so", (server) => {
    const text = /token would travel in plaintext: set tls, or use a server on this machine, or set plaintextToken/;
    expect(() => createEventsClient({ server, token: TOKEN })).toThrow(text);
    expect(() => createSinkClient({ address: server, token: TOKEN })).toThrow(text);
    expect(() => createInspectionClient({ address: server, token: TOKEN })).toThrow(text);
    void createEventsClient({ server, token: TOKEN, plaintextToken: true }).close();
    void createEventsClient({ server, token: TOKEN, tls: true }).close();
  });

  it.each(["127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "localhost:1"])("travel to %s", (server) => {
    void createEventsClient({ server, token: TOKEN }).close();
  });

  it("are never in an error, whatever the function gives", async () => {
    const address = "127.0.0.1:1";
    for (const token of [
      () => `${TOKEN}\n`,
      () => 7 as never,
      () => Promise.reject(new Error("the vault is closed")),
    ]) {
      const events = createEventsClient({ server: address, token });
      const failure: unknown = await events.post({}).catch((error: unknown) => error);
      expect(MessagingError.is(failure, "UNAUTHENTICATED"), String(failure)).toBe(true);
      expect(String(failure)).not.toContain(TOKEN);
      await events.close({ drainMs: 0 });
    }
    expect(() => createEventsClient({ server: address, token: `${TOKEN} ` })).toThrow(/visible ASCII/);
  });
});
