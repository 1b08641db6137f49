import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthWatch } from "../../../adapters/grpc/health-watch.js";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService } from "../../../src/events/index.js";
import { HealthClient } from "./health-client.js";
import { GrpcRig, post, until } from "./rig.js";

const NAMES = ["", "queue.QueueApi", "fairlead.v1.Events", "fairlead.v1.Inspection"] as const;

describe("health follows the broker", () => {
  let rig: GrpcRig;
  let health: HealthClient;
  beforeEach(async () => {
    rig = await GrpcRig.start();
    health = new HealthClient(rig.address);
  });
  afterEach(async () => {
    health.close();
    await rig.close();
  });

  const checkAll = (): Promise<readonly string[]> => Promise.all(NAMES.map((name) => health.check(name)));
  const all = (status: string): readonly string[] => NAMES.map(() => status);

  it("is SERVING before anything was asked of the broker, and NOT_SERVING while a first connect comes to nothing", async () => {
    expect(await checkAll()).toEqual(all("SERVING"));
    rig.broker.refuseConnections(true);
    const posting = post(rig.client(), { eventJson: "a" });
    await until(() => rig.messaging.state === "connecting");
    expect(await checkAll()).toEqual(all("NOT_SERVING"));
    rig.broker.refuseConnections(false);
    await posting;
    expect(await checkAll()).toEqual(all("SERVING"));
  });

  it("is NOT_SERVING also between two attempts of a first connect that came to nothing, and SERVING once one succeeds", async () => {
    const broker = memoryBroker();
    const messaging = createMessaging({ driver: memoryDriver({ broker }), connectTimeoutMs: 50 });
    const events = createEventService({ messaging });
    broker.refuseConnections(true);
    expect(events.available).toBe(true);
    await expect(events.post({ body: Buffer.from("a") })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await until(() => messaging.state === "idle");
    expect(events.available).toBe(false);
    broker.refuseConnections(false);
    await until(() => events.available);
    expect(messaging.state).toBe("open");
    await events.close({ drainMs: 0 });
    await messaging.close({ drainMs: 0 });
  });

  it("is NOT_SERVING while the connection is lost, and tells whoever watches of both changes", async () => {
    await rig.messaging.open();
    const seen = NAMES.map((name) => health.statuses(name));
    await until(() => seen.every(({ length }) => length === 1));
    rig.broker.refuseConnections(true);
    rig.broker.dropConnections();
    await until(() => rig.messaging.state === "reconnecting");
    expect(await checkAll()).toEqual(all("NOT_SERVING"));
    await until(() => seen.every(({ length }) => length === 2));
    rig.broker.refuseConnections(false);
    await until(() => seen.every(({ length }) => length === 3));
    expect(await checkAll()).toEqual(all("SERVING"));
    expect(seen).toEqual(NAMES.map(() => ["SERVING", "NOT_SERVING", "SERVING"]));
    await post(rig.client(), { eventJson: "as it says" });
  });

  it("is NOT_SERVING while the broker takes no publishes, and SERVING once it does", async () => {
    await rig.messaging.open();
    rig.broker.setBlocked(true);
    const late = health.statuses();
    await until(() => late.length === 1);
    expect(await checkAll()).toEqual(all("NOT_SERVING"));
    rig.broker.setBlocked(false);
    expect(await checkAll()).toEqual(all("SERVING"));
    await until(() => late.length === 2);
    expect(late).toEqual(["NOT_SERVING", "SERVING"]);
  });

  it("is NOT_SERVING for good once the Messaging behind it closes", async () => {
    await rig.messaging.open();
    const seen = health.statuses();
    await until(() => seen.length === 1);
    await rig.messaging.close({ drainMs: 0 });
    expect(await checkAll()).toEqual(all("NOT_SERVING"));
    await until(() => seen.length === 2);
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
  });
});

describe("one that watches and does not read", () => {
  it("has one word on its way, however often the status changes, and hears the last one when it reads", () => {
    const words: string[] = [];
    const waiting: (() => void)[] = [];
    const watch = new HealthWatch({
      write({ status }, done) {
        words.push(status);
        waiting.push(done);
      },
    });
    for (const status of ["SERVING", "NOT_SERVING", "SERVING", "NOT_SERVING"] as const) watch.tell(status);
    expect(words).toEqual(["SERVING"]);
    waiting[0]?.();
    watch.tell("NOT_SERVING");
    watch.tell("NOT_SERVING");
    expect(words).toEqual(["SERVING", "NOT_SERVING"]);
  });
});
