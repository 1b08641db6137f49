import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sqliteDriver } from "../../../adapters/sqlite/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { ackTokenStem, formatAckToken, queueTag } from "../../../src/events/ack-token.js";
import { createEventService, type EventService, type PostOptions } from "../../../src/events/index.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import { event, TestClient } from "./rig.js";

interface Server {
  readonly messaging: Messaging;
  readonly events: EventService;
}

/** On a store that keeps everything, through restarts of the server. */
describe("a restart of the server", () => {
  let directory: string;
  let server: Server;

  const start = (nodeId?: string): Server => {
    const driver = sqliteDriver({ file: join(directory, "events.db") });
    const messaging = createMessaging({ driver, nodeId });
    return { messaging, events: createEventService({ messaging, subscribeIntervalMs: 0 }) };
  };
  const stop = async (): Promise<void> => {
    await server.events.close({ drainMs: 0 });
    await server.messaging.close({ drainMs: 0 });
  };
  const until = (condition: () => boolean): Promise<void> =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 5 });
  const subscribe = (): TestClient => {
    const client = new TestClient();
    server.events.subscribe("reader", client);
    return client;
  };
  /** Posts an event, and has it delivered. */
  const deliverOne = async (options: PostOptions = {}): Promise<string> => {
    await server.events.post(event("e"), options);
    const client = subscribe();
    await until(() => client.received.length === 1);
    return client.last.ackToken;
  };
  const kept = async (): Promise<number> => {
    const counts = await server.messaging.inspection?.counts("events");
    return (counts?.ready ?? 0) + (counts?.delayed ?? 0) + (counts?.inProcessing ?? 0);
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "events-"));
    server = start();
  });
  afterEach(async () => {
    await stop();
    rmSync(directory, { recursive: true });
  });

  it.each([undefined, "fixed"])("lets an ack of before settle its event for good: node id %s", async (nodeId) => {
    await stop();
    server = start(nodeId);
    const token = await deliverOne();
    await stop();
    server = start(nodeId);
    expect(await kept()).toBe(1);
    expect(await server.events.ack(token, true)).toBe("acked");
    expect(server.events.counts).toMatchObject({ recoveredAcks: 1, unresolvedAcks: 0 });
    expect(await kept()).toBe(0);
    expect(await server.events.ack(token, true)).toBe("unresolved");
    await stop();
    server = start(nodeId);
    expect(await kept()).toBe(0);
    const history = await server.messaging.inspection?.browse("events", { states: ["processed"] });
    expect(history?.length).toBe(1);
  });

  it("lets it settle its event also when that has been delivered again", async () => {
    const token = await deliverOne();
    await stop();
    server = start();
    const client = subscribe();
    await until(() => client.received.length === 1);
    expect(await server.events.ack(token, true)).toBe("acked");
    expect(server.events.counts).toMatchObject({ recoveredAcks: 1, settledHeld: 1, outstanding: 0 });
    expect(await server.events.ack(client.last.ackToken, true)).toBe("late");
    expect(await kept()).toBe(0);
  });

  it("takes nothing away by a token that no server gave, which knows the event's id but not its mark", async () => {
    await server.events.post(event("e"), { postId: "order-7" });
    const stem = ackTokenStem({ nodeId: "z", incarnation: "gone", queueTag: queueTag("events") });
    for (const mark of ["", "0".repeat(32)]) {
      expect(await server.events.ack(formatAckToken("n", stem, mark, "post:order-7"), true)).toBe("unresolved");
    }
    expect(await server.events.ack("x.y.1.z.post:order-7", true)).toBe("unknown");
    expect(await kept()).toBe(1);
    const client = subscribe();
    await until(() => client.received.length === 1);
    expect(await server.events.ack(client.last.ackToken, true)).toBe("acked");
  });

  it("leaves alone an event of another queue with the same id", async () => {
    const token = await deliverOne({ postId: "order-7" });
    await stop();
    server = start();
    const other = createEventService({ messaging: server.messaging, queue: "others" });
    await other.post(event("other"), { postId: "order-7" });
    expect(await other.ack(token, true)).toBe("unknown");
    expect(await server.events.ack(token, true)).toBe("acked");
    const counts = await server.messaging.inspection?.counts("others");
    expect(counts?.ready).toBe(1);
  });

  it("changes nothing when the ack of before says that the event failed", async () => {
    const token = await deliverOne();
    await stop();
    server = start();
    expect(await server.events.ack(token, false)).toBe("unresolved");
    expect(await kept()).toBe(1);
    const client = subscribe();
    await until(() => client.received.length === 1);
    expect(await server.events.ack(client.last.ackToken, true)).toBe("acked");
  });

  it("does not forget post ids", async () => {
    await server.events.post(event("e"), { postId: "p" });
    await stop();
    server = start();
    await server.events.post(event("e"), { postId: "p" });
    await server.events.post(event("f"), { postId: "q" });
    expect(await kept()).toBe(2);
  });

  it("still asks a server of the same process first, which settles it as its own", async () => {
    const token = await deliverOne();
    const other = start();
    expect(await other.events.ack(token, true)).toBe("acked");
    expect(other.events.counts).toMatchObject({ forwardedAcks: 1, recoveredAcks: 0 });
    expect(server.events.counts).toMatchObject({ acked: 1, outstanding: 0 });
    await other.events.close();
    await other.messaging.close();
    expect(await kept()).toBe(0);
  });
});
