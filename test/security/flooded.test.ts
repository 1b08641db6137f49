import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createQueueApiClient } from "../../adapters/grpc/index.js";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { acknowledge, post, subscribe, until } from "../adapters/grpc/rig.js";
import { Attacker, GuardedRig, HealthyClient } from "./attack.js";

/** Of a machine that does much else. */
const LONGEST_CALL_MS = 5_000;

let attacker: Attacker;
beforeAll(() => {
  attacker = new Attacker();
});
afterAll(() => attacker[Symbol.dispose]());

describe("a server that is flooded by clients that may call it", { timeout: 60_000 }, () => {
  it("refuses calls beyond the rate of the one that makes them, ends its connection, and serves the others", async () => {
    const all = { post: "*", subscribe: "*" } as const;
    const tokens = {
      entries: {
        attacker: { token: "attacker-token-0123", ...all },
        healthy: { token: "healthy-token-0123", ...all },
      },
    };
    await using rig = await GuardedRig.start({ tokens, maxCallsPerSecond: 50, callBurst: 100 });
    const client = createQueueApiClient(rig.address, { token: "healthy-token-0123" });
    try {
      const healthy = new HealthyClient(client, 40);
      await until(() => healthy.latencies.length > 3);
      const { endedMs } = await attacker.attack("calls", rig.port, 25_000);
      await healthy.stop();
      expect(endedMs).not.toBeNull();
      expect(healthy.failures).toEqual([]);
      expect(healthy.worstMs).toBeLessThan(LONGEST_CALL_MS);
      expect(rig.refused).toMatchObject([
        { client: "attacker", what: "queue.QueueApi/Ack", reason: "at most 50 calls a second are allowed" },
        { client: undefined, what: "connection", reason: "a flood of calls that are refused" },
      ]);
    } finally {
      client.close();
    }
  });

  it("hands its events to the others while one subscribes a thousand times", async () => {
    await using rig = await GuardedRig.start();
    const client = rig.client();
    const reader = await subscribe(client, "healthy", acknowledge(client));
    // It goes on until it is ended.
    using own = new Attacker();
    const attack = own.attack("subscriptions", rig.port, 30_000).catch(() => undefined);
    const posting = rig.client();
    const joined = (): number => rig.observations.filter(({ type }) => type === "event-subscriber").length;
    await until(() => joined() > 500, "five hundred subscriptions");
    let posts = 0;
    let worstMs = 0;
    for (; posts < 50; posts += 1) {
      const watch = new Stopwatch();
      await post(posting, { clientId: "healthy", eventJson: "{}" });
      worstMs = Math.max(worstMs, watch.undisturbedMs);
    }
    expect(worstMs).toBeLessThan(LONGEST_CALL_MS);
    own[Symbol.dispose]();
    await attack;
    // What went to the attacker, which acknowledges nothing, comes to those who do.
    await until(() => reader.received.length > 0, "an event at the healthy client");
    expect(rig.refused).toEqual([]);
  });
});

describe("a server with hundreds of connections that do nothing", () => {
  it("serves who speaks, and is rid of them after the handshake timeout", async () => {
    await using rig = await GuardedRig.start({ handshakeTimeoutMs: 4_000 });
    const sockets: Socket[] = [];
    try {
      for (let index = 0; index < 300; index += 1) {
        const socket = connect(rig.port, "127.0.0.1");
        socket.on("error", () => undefined);
        // What the server says first must be taken, or the end is not seen.
        socket.resume();
        sockets.push(socket);
      }
      const healthy = new HealthyClient(rig.client());
      await until(() => healthy.latencies.length > 3);
      await until(() => sockets.every(({ closed }) => closed), "the end of all of them");
      await healthy.stop();
      expect(healthy.failures).toEqual([]);
      expect(healthy.worstMs).toBeLessThan(LONGEST_CALL_MS);
      expect(rig.refused).toHaveLength(1);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    // The rest of them is told as a number, at the latest at the end.
    expect(rig.refused[0]).toMatchObject({ reason: "no HTTP/2 within 4000 ms" });
  });
});
