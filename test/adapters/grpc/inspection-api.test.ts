import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createGrpcGateway, createInspectionClient, type InspectionClient } from "../../../adapters/grpc/index.js";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService } from "../../../src/events/index.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import { until } from "./rig.js";

interface Rig {
  readonly messaging: Messaging;
  readonly client: InspectionClient;
  readonly address: string;
  closeGateway(): Promise<void>;
}

async function rig(inspection: "none" | "ready" = "ready"): Promise<Rig> {
  const messaging = createMessaging({
    driver: memoryDriver({ broker: memoryBroker(), capabilities: { inspection } }),
  });
  const events = createEventService({ messaging, queue: "orders" });
  const gateway = createGrpcGateway({ listen: "127.0.0.1:0", events });
  const address = await gateway.start();
  const client = createInspectionClient({ address, timeoutMs: 5_000 });
  onTestFinished(async () => {
    client.close();
    await gateway.close({ drainMs: 0 });
    await events.close({ drainMs: 0 });
    await messaging.close({ drainMs: 0 });
  });
  return { messaging, client, address, closeGateway: () => gateway.close({ drainMs: 2_000 }) };
}

/** Messages `m0`, `m1`, … given up by a handler. */
async function fillDead(messaging: Messaging, queue: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const message = {
      body: Buffer.from(`body ${index}`),
      messageId: `m${index}`,
      headers: { parity: String(index % 2) },
    };
    await messaging.queue(queue).publish(message);
  }
  let left = count;
  const consumer = await messaging.queue(queue).consume(async () => {
    left -= 1;
    return { deadLetter: "no such customer" };
  });
  await until(() => left === 0);
  await consumer.close();
}

describe("fairlead.v1.Inspection", { timeout: 20_000 }, () => {
  it("counts, and tells apart what is not told from nothing", async () => {
    const { messaging, client } = await rig();
    await messaging.queue("orders").publish({ body: Buffer.from("now") });
    await messaging.queue("orders").publish({ body: Buffer.from("later") }, { delayMs: 60_000 });
    const counts = await client.counts("");
    expect(counts).toMatchObject({ ready: 1, delayed: 1, inProcessing: 0 });
    expect(counts.oldestReadyMs).toBeGreaterThanOrEqual(0);
    await messaging.queue("empty").publish({ body: Buffer.from("x") });
    await client.remove("empty", {});
    expect((await client.counts("empty")).oldestReadyMs).toBeUndefined();
  });

  it("shows dead letters whole, by selection, under the short name of the events' own", async () => {
    const { messaging, client } = await rig();
    await fillDead(messaging, "orders", 4);
    const found = await client.browse(".dead", { headers: { parity: "1" } });
    expect(found.map(({ messageId }) => messageId)).toEqual(["m1", "m3"]);
    expect(found[0]).toMatchObject({
      body: Buffer.from("body 1"),
      state: "available",
      attempt: 1,
      headers: { parity: "1", "dead-letter-reason": "no such customer", "dead-letter-queue": "orders" },
      dueAt: undefined,
      changedAt: undefined,
    });
    expect(Math.abs(Date.now() - (found[0]?.publishedAt ?? 0))).toBeLessThan(10_000);
    expect(await client.browse("orders.dead", { messageIds: ["m2"], limit: 1 })).toHaveLength(1);
  });

  it("removes and replays, and tells the progress", async () => {
    const { messaging, client } = await rig();
    await fillDead(messaging, "orders", 6);
    expect(await client.remove(".dead", { messageIds: ["m0", "m5"] })).toBe(2);
    const progress: number[] = [];
    expect(await client.replay(".dead", { headers: { parity: "1" }, onMoved: (moved) => progress.push(moved) })).toBe(
      2,
    );
    expect(progress.at(-1)).toBe(2);
    expect(await client.replay(".dead", { to: "elsewhere", limit: 1 })).toBe(1);
    expect((await client.browse("orders")).map(({ messageId }) => messageId)).toEqual(["m1", "m3"]);
    expect(await client.browse("elsewhere")).toHaveLength(1);
    expect(await client.browse(".dead")).toHaveLength(1);
  });

  it("answers with the codes of the port", async () => {
    const { messaging, client } = await rig();
    await messaging.open();
    await expect(client.browse("missing")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(client.counts("missing")).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(client.browse("orders", { limit: 200_000 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("limit must be a whole number from 1 to 100000"),
    });
    const unsupported = { code: "UNSUPPORTED", message: expect.stringContaining("inspection") };
    await expect(client.browse("orders", { states: ["processed"] })).rejects.toMatchObject(unsupported);
    await expect(client.browse("orders", { dueFrom: 0 })).rejects.toMatchObject(unsupported);
    await expect(client.update("orders", "m1", Buffer.from("x"))).rejects.toMatchObject(unsupported);
    await expect(client.replay("orders", { ratePerSecond: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("refuses hostile values with INVALID_ARGUMENT, and goes on", async () => {
    const { messaging, client } = await rig();
    await messaging.queue("orders").publish({ body: Buffer.from("x") });
    const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ["limit of 2^32 - 1", () => client.browse("orders", { limit: 4_294_967_295 })],
      ["negative limit", () => client.browse("orders", { limit: -1 })],
      ["empty id", () => client.browse("orders", { messageIds: [""] })],
      ["reserved header", () => client.browse("orders", { headers: { "fairlead-failures": "1" } })],
      ["NUL in a name", () => client.browse("or\0ders")],
      ["long name", () => client.counts("x".repeat(100_000))],
      ["unknown state", () => client.browse("orders", { states: ["lost" as "failed"] })],
      ["times the wrong way round", () => client.browse("orders", { dueFrom: 2, dueBefore: 1 })],
      ["history to be removed", () => client.remove("orders", { states: ["processed"] })],
      ["NUL in a target", () => client.replay("orders", { to: "\0" })],
      ["target is the source", () => client.replay("orders", { to: "orders" })],
      ["rate of NaN", () => client.replay("orders", { ratePerSecond: Number.NaN })],
      ["infinite rate", () => client.replay("orders", { ratePerSecond: Number.POSITIVE_INFINITY })],
      ["empty id to update", () => client.update("orders", "", Buffer.from("x"))],
    ];
    for (const [what, attempt] of attempts) {
      await expect(attempt(), what).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await client.browse("orders")).toHaveLength(1);
  });

  it("is UNIMPLEMENTED, with a text, where the broker shows nothing", async () => {
    const { client } = await rig("none");
    const refused = { code: "UNSUPPORTED", message: expect.stringContaining("capability inspection is none") };
    await expect(client.counts("")).rejects.toMatchObject(refused);
    await expect(client.browse(".dead")).rejects.toMatchObject(refused);
    await expect(client.remove("", {})).rejects.toMatchObject(refused);
    await expect(client.replay(".dead")).rejects.toMatchObject(refused);
    await expect(client.update("", "m1", Buffer.from("x"))).rejects.toMatchObject(refused);
  });

  it("ends a replay that its client cancels, and one that a drain meets; what is left can be replayed", async () => {
    const { messaging, client, closeGateway } = await rig();
    await fillDead(messaging, "orders", 10);
    const abort = new AbortController();
    const onMoved = (): void => abort.abort();
    const cancelled = client.replay(".dead", { ratePerSecond: 20, onMoved, signal: abort.signal });
    await expect(cancelled).rejects.toMatchObject({ code: "ABORTED" });
    const { inspection } = messaging;
    await until(() => messaging.state === "open");
    const moved: number[] = [];
    const drained = client.replay(".dead", { ratePerSecond: 10, onMoved: (sofar) => moved.push(sofar) });
    const refused = expect(drained).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await until(() => moved.length > 0);
    await Promise.all([closeGateway(), refused]);
    await inspection?.replay("orders.dead");
    const ids = new Set((await inspection?.browse("orders"))?.map(({ messageId }) => messageId));
    expect(ids.size).toBe(10);
    expect(await inspection?.browse("orders.dead")).toEqual([]);
  });

  it("takes a few operators at a time", async () => {
    const { messaging, client } = await rig();
    await fillDead(messaging, "orders", 5);
    const abort = new AbortController();
    let moved = 0;
    // After the first, each waits for longer than the test takes.
    const onMoved = (): void => {
      moved += 1;
    };
    const options = { ratePerSecond: 0.01, signal: abort.signal, onMoved };
    const ends = Promise.allSettled(Array.from({ length: 4 }, () => client.replay(".dead", options)));
    await until(() => moved === 4);
    await expect(client.browse(".dead")).rejects.toMatchObject({ code: "REJECTED" });
    abort.abort();
    await ends;
    const left = await vi.waitFor(() => client.browse(".dead"), { timeout: 15_000 });
    expect(left).toHaveLength(1);
  });
});
