import { type ClientHttp2Session, type ClientHttp2Stream, connect, createServer } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConnectionGate } from "../../adapters/grpc/limits/connection-gate.js";
import { SessionGuard } from "../../adapters/grpc/limits/session-guard.js";
import { Refusals } from "../../adapters/grpc/security/refusals.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { GuardedRig } from "./attack.js";

const UNIMPLEMENTED = 12;
const RESOURCE_EXHAUSTED = 8;
const UNAUTHENTICATED = 16;
const OK = 0;

const TOKEN = "uploader-token-0123";
const POST = "/queue.QueueApi/PostEvent";
const ACK = "/queue.QueueApi/Ack";
/** Much longer than any of these calls takes. */
const DEADLINE_MS = 20_000;

/** A message of so many bytes, with its prefix. Its content is not readable. */
function message(bytes: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes, 1);
  return Buffer.concat([prefix, Buffer.alloc(bytes, 0xff)]);
}

const FIVE_MEGABYTES = message(5_000_000);

/**
 * The client of Node as it is by default, unlike that of grpc-js: of calls that are reset while they send it keeps count of what
 * was not sent, and at 10 MB neither sends nor hears anything more on its connection.
 */
function open(session: ClientHttp2Session, path: string, token?: string): ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  });
}

/** The status, "reset" without one, or "hangs". */
async function outcomeOf(stream: ClientHttp2Stream): Promise<number | string> {
  let status: number | undefined;
  stream.on("response", (headers) => {
    if (headers["grpc-status"] !== undefined) status = Number(headers["grpc-status"]);
  });
  stream.on("trailers", (headers) => {
    status = Number(headers["grpc-status"]);
  });
  stream.on("error", () => undefined);
  stream.resume();
  const closed = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  const late = new AbortController();
  const isClosed = await Promise.race([
    closed.then(() => true),
    sleep(DEADLINE_MS, false, { signal: late.signal }).catch(() => false),
  ]);
  late.abort();
  return isClosed ? (status ?? `reset ${stream.rstCode}`) : `hangs with status ${status}`;
}

function call(session: ClientHttp2Session, path: string, bytes: Buffer, token?: string): Promise<number | string> {
  const stream = open(session, path, token);
  stream.end(bytes);
  return outcomeOf(stream);
}

describe("a call that is answered while its client still sends", { timeout: 60_000 }, () => {
  let rig: GuardedRig;
  const sessions: ClientHttp2Session[] = [];
  beforeAll(async () => {
    const entries = { uploader: { token: TOKEN, post: "*", subscribe: "*" } };
    rig = await GuardedRig.start({ tokens: { entries }, maxReceiveBytes: 1_000_000, refusalDelayMs: 100 });
  });
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  function connection(maxSessionMemory = 10): ClientHttp2Session {
    const session = connect(`http://${rig.address}`, { maxSessionMemory });
    session.on("error", () => undefined);
    sessions.push(session);
    return session;
  }

  it.each([
    { what: "of an rpc that there is not", path: "/queue.QueueApi", token: TOKEN, status: UNIMPLEMENTED },
    { what: "of a service that there is not", path: "/x.Y/Z", token: undefined, status: UNIMPLEMENTED },
    { what: "with a message beyond maxReceiveBytes", path: POST, token: TOKEN, status: RESOURCE_EXHAUSTED },
    { what: "of a stranger", path: POST, token: undefined, status: UNAUTHENTICATED },
    {
      what: "of a stranger who is told so later",
      path: "/queue.QueueApi/SubscribeEvents",
      token: undefined,
      status: UNAUTHENTICATED,
    },
  ])(
    "$what: each gets its status, and the connection goes on, one after the other",
    async ({ path, token, status }) => {
      const session = connection();
      for (let count = 0; count < 8; count += 1) {
        expect(await call(session, path, FIVE_MEGABYTES, token)).toBe(status);
      }
      expect(await call(session, ACK, message(0), TOKEN)).toBe(OK);
    },
  );

  it("and many at once: all of them end, and other calls on the connection go on meanwhile", async () => {
    const session = connection(100);
    const uploads = ["/x.Y/Z", POST, "/queue.QueueApi/SubscribeEvents", "/x.Y/Z"].map((path) =>
      call(session, path, FIVE_MEGABYTES),
    );
    for (let count = 0; count < 20; count += 1) {
      expect(await call(session, ACK, message(0), TOKEN)).toBe(OK);
    }
    expect(await Promise.all(uploads)).toEqual([UNIMPLEMENTED, UNAUTHENTICATED, UNAUTHENTICATED, UNIMPLEMENTED]);
  });

  it.each(["/x.Y/Z", POST])("%s: is reset when there is no end of it; memory stays as it is", async (path) => {
    const session = connection();
    const stream = open(session, path);
    let sent = 0;
    const chunk = Buffer.alloc(1_000_000);
    const pump = (): void => {
      if (stream.closed || stream.destroyed) return;
      sent += chunk.length;
      stream.write(chunk, pump);
    };
    const before = process.memoryUsage.rss();
    const outcome = outcomeOf(stream);
    pump();
    expect(await outcome).toBe(path === POST ? UNAUTHENTICATED : UNIMPLEMENTED);
    // What may come late on one connection: at once, and each second.
    expect(sent).toBeGreaterThan(5_000_000);
    expect(sent).toBeLessThan(1_000_000_000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
    expect(await call(session, ACK, message(0), TOKEN)).toBe(OK);
  });
});

describe("a call that was answered and whose client does not end it", () => {
  it("is reset after ten seconds", async () => {
    const clock = new VirtualClock();
    const refusals = new Refusals({ observe: () => undefined, clock });
    const gate = new ConnectionGate({ maxConnectionsPerAddress: 1, handshakeTimeoutMs: 1_000, clock, refusals });
    const options = { messageTimeoutMs: 60_000, maxUnfinishedBytesPerAddress: 1_000, clock, gate, refusals };
    const guard = new SessionGuard(options);
    const server = createServer();
    server.on("stream", (stream) => {
      stream.once("error", () => undefined);
      stream.respond({ ":status": 200, "grpc-status": "12" }, { endStream: true });
    });
    guard.watch(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const session = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
    try {
      const stream = open(session, "/x.Y/Z");
      const answered = new Promise((resolve) => stream.once("response", resolve));
      const outcome = outcomeOf(stream);
      // More than is kept for one address: of this nothing is kept.
      stream.write(message(5_000).subarray(0, 4_000));
      await answered;
      await clock.pass(9_000);
      expect([stream.closed, stream.destroyed]).toEqual([false, false]);
      await clock.pass(3_000);
      // Its client has not said all that it had to say; that of Node waits for that.
      await new Promise<void>((resolve) => {
        if (stream.closed) resolve();
        else stream.once("end", resolve);
      });
      stream.destroy();
      expect(await outcome).toBe(UNIMPLEMENTED);
      expect(stream.rstCode).toBe(0);
    } finally {
      session.destroy();
      server.close();
      guard.stop();
      refusals.close();
    }
  });
});
