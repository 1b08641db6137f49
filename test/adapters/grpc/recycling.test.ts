import { afterEach, describe, expect, it } from "vitest";
import { GrpcRig, until } from "./rig.js";
import { encode, text, WireClient } from "./wire-client.js";

const SUBSCRIBE = "/queue.QueueApi/SubscribeEvents";
const ACK = "/queue.QueueApi/Ack";
const UNAVAILABLE = 14;

describe("connections that are recycled", () => {
  let rig: GrpcRig;
  let client: WireClient;
  afterEach(async () => {
    client.close();
    await rig.close();
  });

  it("go away when they have been idle", async () => {
    rig = await GrpcRig.start({ grpc: { maxConnectionIdleMs: 3_000 } });
    client = new WireClient(rig.address);
    let isAway = false;
    client.session.on("goaway", () => {
      isAway = true;
    });
    expect(await client.call(ACK, encode([])).ended).toBe(0);
    await until(() => isAway && client.session.closed);
  });

  it("go away at an age, and their calls are cut after the grace", async () => {
    rig = await GrpcRig.start({ grpc: { maxConnectionAgeMs: 200, maxConnectionAgeGraceMs: 100 } });
    client = new WireClient(rig.address);
    const started = Date.now();
    const stream = client.call(SUBSCRIBE, encode([[1, text("reader")]]));
    const outcome = await stream.ended.catch(() => UNAVAILABLE);
    expect(Date.now() - started).toBeGreaterThan(250);
    expect(outcome).not.toBe(0);
    await until(() => rig.events.counts.subscribers === 0);
  });

  it("are as they were by default: one stream, idle, pinged by either side without a call", async () => {
    rig = await GrpcRig.start({ grpc: { keepaliveTimeMs: 100 } });
    client = new WireClient(rig.address);
    let isAway = false;
    client.session.on("goaway", () => {
      isAway = true;
    });
    const ping = (): Promise<void> =>
      new Promise((resolve, reject) => {
        client.session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    expect(await client.call(ACK, encode([])).ended).toBe(0);
    // Far more often than every 5 s.
    for (let count = 0; count < 200; count += 1) await ping();
    const stream = client.call(SUBSCRIBE, encode([[1, text("reader")]]));
    await until(() => stream.headersCame);
    for (let count = 0; count < 200; count += 1) await ping();
    expect(isAway).toBe(false);
    expect(rig.events.counts.subscribers).toBe(1);
  });
});
