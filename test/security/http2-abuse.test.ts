import { connect as connectSocket, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../adapters/grpc/rig.js";
import { Attacker, GuardedRig, HealthyClient } from "./attack.js";
import { SERVER_TLS } from "./secure-server.js";

const INTERNAL_ERROR = 2;
const STREAM_CLOSED = 5;
const ENHANCE_YOUR_CALM = 11;
/** Of a machine that does much else. A call takes two milliseconds when nothing else happens. */
const LONGEST_CALL_MS = 5_000;

interface Flood {
  readonly kind: string;
  /** What observers are told; undefined: Node ends it before it needs us. */
  readonly reason: string | undefined;
}

const NOTHING = "a flood of frames that carry nothing";

const FLOODS: readonly Flood[] = [
  { kind: "rapid-reset", reason: "a flood of calls that are reset" },
  { kind: "made-you-reset", reason: undefined },
  { kind: "unknown-rpc", reason: "a flood of calls that are refused" },
  { kind: "ping", reason: undefined },
  { kind: "paced-ping", reason: "a flood of pings" },
  { kind: "paced-settings", reason: "a flood of settings" },
  { kind: "empty-data", reason: undefined },
  { kind: "tiny-data", reason: "a flood of messages in crumbs" },
  { kind: "continuation", reason: undefined },
  { kind: "window-update", reason: NOTHING },
  { kind: "priority", reason: NOTHING },
  { kind: "unknown", reason: NOTHING },
  { kind: "huge-headers", reason: NOTHING },
  { kind: "hpack-bomb", reason: NOTHING },
  { kind: "after-end", reason: NOTHING },
];

let attacker: Attacker;
beforeAll(() => {
  attacker = new Attacker();
});
afterAll(() => attacker[Symbol.dispose]());

describe("floods on one connection", () => {
  let rig: GuardedRig;
  beforeAll(async () => {
    // What Node ends by itself it may leave open, without reading it any more, until it does not answer a ping.
    rig = await GuardedRig.start({ keepaliveTimeMs: 1_000 });
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
  });

  for (const { kind, reason } of FLOODS) {
    it(`${kind}: its connection is ended, and another client works on`, async () => {
      const healthy = new HealthyClient(rig.client());
      await until(() => healthy.latencies.length > 3, "a client that works");
      const told = rig.refused.length;
      const { endedMs, goaway, bytes } = await attacker.attack(kind, rig.port, 20_000);
      const before = healthy.latencies.length;
      await until(() => healthy.latencies.length > before + 1, "a call after the attack");
      await healthy.stop();
      expect(endedMs, `ended, goaway ${goaway}, ${bytes} bytes`).not.toBeNull();
      expect(healthy.failures).toEqual([]);
      expect(healthy.worstMs).toBeLessThan(LONGEST_CALL_MS);
      // On a machine that is slow enough Node comes first.
      if (reason === undefined || goaway === STREAM_CLOSED || goaway === INTERNAL_ERROR) return;
      // Told anew for each kind; the same kind again within ten seconds would be counted.
      const lines = rig.refused.slice(told).map((line) => line.reason);
      const known = rig.refused.map((line) => line.reason);
      expect(known).toContain(reason);
      expect(lines.length).toBeLessThanOrEqual(2);
      // What waits to be sent may not fit any more.
      expect([ENHANCE_YOUR_CALM, null]).toContain(goaway);
      expect(rig.refused.at(-1)).toMatchObject({ client: undefined, peer: "127.0.0.1", what: "connection" });
    });
  }
});

describe("over TLS", () => {
  it.each(["rapid-reset", "paced-ping", "hpack-bomb"])("%s: its connection is ended, too", async (kind) => {
    await using rig = await GuardedRig.start({ tls: SERVER_TLS, keepaliveTimeMs: 1_000 });
    const { endedMs, goaway } = await attacker.attack(kind, rig.port, 20_000, "tls");
    expect(endedMs).not.toBeNull();
    if (goaway === INTERNAL_ERROR) return;
    expect(rig.refused[0]).toMatchObject({ peer: "127.0.0.1", reason: /^a flood of/ });
  });

  it.concurrent.each(["nothing", "idle"])(
    "%s instead of a TLS handshake: cut after the handshake timeout",
    async (kind) => {
      await using rig = await GuardedRig.start({ tls: SERVER_TLS, handshakeTimeoutMs: 300 });
      const { endedMs } = await attacker.attack(kind, rig.port, 20_000);
      expect(endedMs).not.toBeNull();
      if (kind === "nothing") expect(rig.refused[0]).toMatchObject({ reason: /within 300 ms/ });
    },
  );
});

describe("connections that get nowhere", () => {
  it.concurrent.each(["nothing", "half-preface", "slow-preface", "preface-alone"])(
    "%s: cut after the handshake timeout",
    async (kind) => {
      await using rig = await GuardedRig.start({ handshakeTimeoutMs: 300 });
      const { endedMs } = await attacker.attack(kind, rig.port, 20_000);
      expect(endedMs).toBeGreaterThanOrEqual(290);
      expect(rig.refused).toEqual([
        {
          type: "client-refused",
          client: undefined,
          peer: "127.0.0.1",
          what: "connection",
          reason: "no HTTP/2 within 300 ms",
        },
      ]);
    },
  );

  it.concurrent.each(["idle", "slow-continuation"])("%s: cut when it does not answer a ping", async (kind) => {
    await using rig = await GuardedRig.start({ keepaliveTimeMs: 300, keepaliveTimeoutMs: 200 });
    const { endedMs } = await attacker.attack(kind, rig.port, 20_000);
    expect(endedMs).not.toBeNull();
  });

  it.concurrent("leaves a client alone that speaks HTTP/2 and then does nothing for longer", async () => {
    await using rig = await GuardedRig.start({ handshakeTimeoutMs: 4_000 });
    const client = rig.client();
    const healthy = new HealthyClient(client);
    await until(() => healthy.latencies.length > 0);
    await healthy.stop();
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    expect(healthy.failures).toEqual([]);
    expect(rig.refused).toEqual([]);
  });
});

describe("memory that a client makes the server hold", () => {
  it("messages that are not whole: beyond the limit of an address their calls are refused, others go on", async () => {
    await using rig = await GuardedRig.start({ maxUnfinishedBytesPerAddress: 500_000 });
    const healthy = new HealthyClient(rig.client());
    const before = process.memoryUsage.rss();
    const { bytes, answers } = await attacker.attack("unfinished-until-answered", rig.port, 20_000);
    expect(bytes).toBeGreaterThan(500_000);
    expect(answers).toBeGreaterThan(0);
    await attacker.attack("unfinished-messages", rig.port, 1_200);
    await healthy.stop();
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
    expect(healthy.failures).toEqual([]);
    expect(rig.refused[0]).toMatchObject({
      what: "queue.QueueApi/PostEvent",
      reason: /at most 500000 bytes are kept/,
    });
  });

  it("messages that never become whole: their calls are refused after a time", async () => {
    await using rig = await GuardedRig.start({ messageTimeoutMs: 500 });
    const { answers } = await attacker.attack("unfinished-until-answered", rig.port, 10_000);
    expect(answers).toBeGreaterThan(0);
    expect(rig.refused[0]).toMatchObject({ reason: "a message did not become whole within 500 ms" });
  });

  it("answers that nobody reads: no more than there may be calls, and other clients work on", async () => {
    await using rig = await GuardedRig.start();
    const healthy = new HealthyClient(rig.client());
    const before = process.memoryUsage.rss();
    await attacker.attack("zero-window", rig.port, 1_000);
    await healthy.stop();
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000);
    expect(healthy.failures).toEqual([]);
    expect(healthy.worstMs).toBeLessThan(LONGEST_CALL_MS);
  });
});

describe("connections", () => {
  async function open(port: number): Promise<Socket> {
    const socket = connectSocket(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.once("connect", resolve));
    return socket;
  }

  it("of one address beyond the limit are dropped, told in a bounded number of lines, and room comes back", async () => {
    await using rig = await GuardedRig.start({ maxConnectionsPerAddress: 3, handshakeTimeoutMs: 60_000 });
    const kept = await Promise.all([open(rig.port), open(rig.port), open(rig.port)]);
    for (let index = 0; index < 50; index += 1) {
      const socket = await open(rig.port);
      if (!socket.closed) await new Promise((resolve) => socket.once("close", resolve));
    }
    expect(kept.map(({ closed }) => closed)).toEqual([false, false, false]);
    expect(rig.refused).toHaveLength(1);
    expect(rig.refused[0]).toMatchObject({ peer: "127.0.0.1", reason: "more than 3 connections of one address" });
    for (const socket of kept) socket.destroy();
    const healthy = new HealthyClient(rig.client());
    await until(() => healthy.latencies.length > 1);
    await healthy.stop();
  });

  it("in all beyond the limit are dropped and told", async () => {
    await using rig = await GuardedRig.start({ maxConnections: 1 });
    const kept = await open(rig.port);
    const dropped = await open(rig.port);
    if (!dropped.closed) await new Promise((resolve) => dropped.once("close", resolve));
    expect(rig.refused[0]).toMatchObject({ peer: "127.0.0.1", reason: "more than 1 connections" });
    kept.destroy();
  });
});
