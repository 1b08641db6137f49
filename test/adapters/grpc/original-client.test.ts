import { afterAll, describe, expect, it } from "vitest";
import { createGrpcGateway } from "../../../adapters/grpc/index.js";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { createEventService, type EventOptions } from "../../../src/events/index.js";
import type { Gateway } from "../../../src/ports/gateway.js";
import type { Observation } from "../../../src/ports/observer.js";
import { startTcpProxy } from "../../../tools/proxy/tcp-proxy.js";
import { OriginalClient, type OriginalClientOptions, type WireEvent } from "./original-client.js";

const endings: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const ending of endings.splice(0).reverse()) await ending();
});

interface Server {
  address: string;
  readonly counts: () => ReturnType<typeof createEventService>["counts"];
  /** How often a subscriber joined. */
  readonly joined: () => number;
  /** Goes away with its connections, and comes back at the same address. */
  restart(): Promise<void>;
}

async function startServer(options: EventOptions = {}): Promise<Server> {
  const observed: Observation[] = [];
  const observers = [(observation: Observation) => void observed.push(observation)];
  const messaging = createMessaging({ driver: memoryDriver() });
  const events = createEventService({ messaging, observers, ...options });
  let gateway: Gateway = createGrpcGateway({ events, listen: "127.0.0.1:0" });
  const address = await gateway.start();
  endings.push(async () => {
    await gateway.close({ drainMs: 0 });
    await events.close({ drainMs: 0 });
    await messaging.close({ drainMs: 0 });
  });
  return {
    address,
    counts: () => events.counts,
    joined: () => observed.filter((item) => item.type === "event-subscriber" && item.change === "joined").length,
    async restart() {
      await gateway.close({ drainMs: 0 });
      gateway = createGrpcGateway({ events, listen: address });
      await gateway.start();
    },
  };
}

function client(options: OriginalClientOptions): OriginalClient {
  const made = new OriginalClient(options);
  endings.push(() => made.destroy());
  return made;
}

async function until(what: string, condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Something must not happen, and nothing that comes after it could be waited for. */
const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** They wait more than they do. */
describe.concurrent("the client that exists in the field", { timeout: 90_000 }, () => {
  it("posts, receives, acknowledges, idles 40 s on one stream of one connection, and closes", async () => {
    const server = await startServer();
    const proxy = await startTcpProxy(Number(server.address.split(":")[1]));
    endings.push(() => proxy.stop());
    const own = client({ address: `127.0.0.1:${proxy.port}`, clientId: "owner", searchKey1: "1", searchKey2: "2" });
    const received: WireEvent[] = [];
    let closes = 0;
    await own.subscribe(
      (event) => {
        received.push(event);
        void own.ack(event.user_token, true);
      },
      () => {
        closes += 1;
      },
    );
    const json = '{"foo":"bär","isActive":true}';
    for (let index = 0; index < 10; index += 1) await own.post(json);
    await until("ten events, acknowledged", () => server.counts().acked === 10);
    expect(received.map(({ event_json }) => event_json)).toEqual(Array.from({ length: 10 }, () => json));
    expect(received.map(({ future_user_token }) => future_user_token)).toEqual(own.sentTokens);
    expect(received[0]).toMatchObject({ client_id: "owner", search_key1: "1", search_key2: "2" });

    await pass(40_000);
    expect([own.state, own.subscribes, server.joined(), proxy.accepted]).toEqual(["connected", 1, 1, 1]);
    expect(own.streamEnds).toEqual([]);
    await own.post("after");
    await until("the event after the pause", () => server.counts().acked === 11);
    expect(server.counts()).toMatchObject({ posted: 11, delivered: 11, timedOut: 0, outstanding: 0 });

    await own.close();
    await until("the close callback", () => closes > 0);
    await pass(200);
    expect([closes, own.isStuck, own.streamEnds]).toEqual([1, false, ["EOF"]]);
    expect(server.counts().subscribers).toBe(0);
  });

  it("is told that it is closed each time, however busy its stream is", async () => {
    const server = await startServer({ retryScheduleMs: [60_000] });
    for (let round = 0; round < 10; round += 1) {
      const own = client({ address: server.address, clientId: `owner-${round}` });
      let closes = 0;
      await own.subscribe(
        ({ user_token }) => void own.ack(user_token, true).catch(() => undefined),
        () => {
          closes += 1;
        },
      );
      const posts = Promise.all(Array.from({ length: 5 }, () => own.post("{}")));
      if (round % 2 === 0) await posts;
      else posts.catch(() => undefined);
      await own.close();
      await until("the close callback", () => closes === 1);
      expect([own.isStuck, own.streamEnds]).toEqual([false, ["EOF"]]);
    }
  });

  it("tries a post again with a new token, after 1 s, 2 s, …, and ends with the last error", async () => {
    const server = await startServer({ maxEventBytes: 10 });
    const own = client({ address: server.address, clientId: "owner", apiAttempts: 3 });
    const started = performance.now();
    await expect(own.post("more than ten bytes")).rejects.toMatchObject({ details: /19 bytes/ });
    expect(performance.now() - started).toBeGreaterThanOrEqual(2_990);
    expect(new Set(own.sentTokens).size).toBe(3);
    await own.post("{}");
    expect(server.counts()).toMatchObject({ posted: 1 });
  });

  it("gets its events again when it does not answer, and what it rejects by the schedule", async () => {
    const server = await startServer({ ackTimeoutMs: 5_000, retryScheduleMs: [200, 200] });
    const own = client({ address: server.address, clientId: "owner" });
    const received: WireEvent[] = [];
    await own.subscribe(
      (event) => {
        received.push(event);
        const round = received.length;
        // Silent at first, then a nack, then an ack.
        if (round > 1) void own.ack(event.user_token, round === 3);
      },
      () => {},
    );
    await own.post("{}");
    await until("the ack", () => server.counts().acked === 1);
    expect(received.length).toBe(3);
    expect(new Set(received.map(({ user_token }) => user_token)).size).toBe(3);
    expect(new Set(received.map(({ future_user_token }) => future_user_token))).toEqual(new Set(own.sentTokens));
    expect(server.counts()).toMatchObject({ timedOut: 1, nacked: 1 });
  });

  it("comes back by itself after its server does, and gets what was posted meanwhile", async () => {
    const server = await startServer();
    const own = client({ address: server.address, clientId: "owner", apiAttempts: 5 });
    const poster = client({ address: server.address, clientId: "poster", apiAttempts: 5 });
    const received: string[] = [];
    await own.subscribe(
      (event) => {
        received.push(event.event_json);
        void own.ack(event.user_token, true).catch(() => undefined);
      },
      () => {},
    );
    await own.post("before");
    await until("the first event", () => received.includes("before"));
    const restarting = server.restart();
    const posting = poster.post("meanwhile");
    await Promise.all([restarting, posting]);
    await until("the event posted meanwhile", () => received.includes("meanwhile"), 20_000);
    expect(own.state).toBe("connected");
  });

  it("is held to about one stream a second when two of it fight for one client id, and loses no event", async () => {
    const server = await startServer({ lossesPerStep: 1_000 });
    const received = new Set<string>();
    const startedAt = performance.now();
    const rivals = [1, 2].map(() => client({ address: server.address, clientId: "contested" }));
    for (const rival of rivals) {
      await rival.subscribe(
        (event) => {
          received.add(event.event_json);
          void rival.ack(event.user_token, true).catch(() => undefined);
        },
        () => {},
      );
    }
    const poster = client({ address: server.address, clientId: "poster" });
    for (let index = 0; index < 20; index += 1) {
      await poster.post(`event ${index}`);
      await pass(200);
    }
    await until("all events", () => received.size === 20);
    const subscribes = rivals.reduce((sum, rival) => sum + rival.subscribes, 0);
    // Four, and a little, if the machine keeps up: each rival has its stream ended no sooner than a second after it asked.
    const seconds = Math.floor((performance.now() - startedAt) / 1_000);
    expect(subscribes).toBeGreaterThan(2);
    expect(subscribes).toBeLessThanOrEqual(8 + 2 * seconds);
    expect(server.joined()).toBeLessThanOrEqual(5 + seconds);
  });

  it("is held to about one subscribe a second when it must be refused", async () => {
    const server = await startServer();
    const own = client({ address: server.address, clientId: "é".repeat(200) });
    await own.subscribe(
      () => {},
      () => {},
    );
    await pass(3_500);
    expect(own.subscribes).toBeGreaterThanOrEqual(2);
    expect(own.subscribes).toBeLessThanOrEqual(5);
    expect(new Set(own.streamEnds)).toEqual(new Set(["INVALID_ARGUMENT"]));
    expect(server.joined()).toBe(0);
  });
});
