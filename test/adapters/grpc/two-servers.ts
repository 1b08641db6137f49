import { expect, it } from "vitest";
import { createGrpcGateway, createQueueApiClient, type QueueApiClient } from "../../../adapters/grpc/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import type { Driver } from "../../../src/driver/index.js";
import { createEventService, type EventOptions, type EventService } from "../../../src/events/index.js";
import { createMessaging } from "../../../src/index.js";
import { ack, closeClient, post, Reader, subscribe, until } from "./rig.js";

/** A server, as a process of its own would be, and a client of it. */
class Server implements AsyncDisposable {
  readonly events: EventService;
  readonly client: QueueApiClient;
  readonly #end: () => Promise<void>;

  private constructor(events: EventService, client: QueueApiClient, end: () => Promise<void>) {
    this.events = events;
    this.client = client;
    this.#end = end;
  }

  static async start(driver: Driver, options: EventOptions): Promise<Server> {
    const messaging = createMessaging({ driver });
    const events = createEventService({ ...options, messaging });
    const gateway = createGrpcGateway({ events, listen: "127.0.0.1:0" });
    const client = createQueueApiClient(await gateway.start());
    return new Server(events, client, async () => {
      client.close();
      await gateway.close({ drainMs: 0 });
      await events.close({ drainMs: 0 });
      await messaging.close({ drainMs: 0 });
    });
  }

  /** Goes away at once; what it held is the broker's again. */
  end(): Promise<void> {
    return this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}

const EVENTS = 60;

/** Clients whose calls come to any of two servers on one broker, as a balancer would have it. */
export function twoServers(createDriver: () => Driver, uniqueName: (purpose: string) => string): void {
  const start = async (options: EventOptions): Promise<[Server, Server]> => [
    await Server.start(createDriver(), options),
    await Server.start(createDriver(), options),
  ];
  const bodies = Array.from({ length: EVENTS }, (_, index) => `event ${index}`);

  it("an ack at another server than the one that delivers: done, not redelivered", async () => {
    const options = {
      queue: uniqueName("far-acks"),
      ackTimeoutMs: 5_000,
      ackForwardTimeoutMs: 30_000,
      retryScheduleMs: [100, 60_000],
    };
    const [first, second] = await start(options);
    await using _first = first;
    await using _second = second;
    const reader = await subscribe(first.client, "reader", ({ userToken }) => {
      void ack(second.client, userToken).catch(() => undefined);
    });
    for (const eventJson of bodies) await post(second.client, { eventJson });
    await until(() => first.events.counts.acked === EVENTS, "all events to be done");
    // Longer than an attempt may take: what had not been done would come again.
    await new Promise((resolve) => setTimeout(resolve, options.ackTimeoutMs + 300));
    expect(reader.bodies).toEqual(bodies);
    expect(second.events.counts).toMatchObject({ forwardedAcks: EVENTS, unresolvedAcks: 0, unknownAcks: 0 });
    expect(first.events.counts).toMatchObject({ delivered: EVENTS, timedOut: 0, outstanding: 0 });
  });

  it("a nack at another server: comes again by the schedule, and not before", async () => {
    const [first, second] = await start({ queue: uniqueName("far-nacks"), retryScheduleMs: [200] });
    await using _first = first;
    await using _second = second;
    const reader = await subscribe(first.client, "reader");
    await post(second.client, { eventJson: "one" });
    await until(() => reader.received.length === 1);
    const nackedAt = performance.now();
    await ack(second.client, reader.last.userToken, false);
    await until(() => reader.received.length === 2);
    expect(performance.now() - nackedAt).toBeGreaterThanOrEqual(198);
    await ack(second.client, reader.last.userToken);
    expect(first.events.counts).toMatchObject({ nacked: 1, acked: 1, timedOut: 0, outstanding: 0 });
  });

  it("a Close at another server: the stream has ended when it is answered, and what it held moves on", async () => {
    const [first, second] = await start({ queue: uniqueName("far-close"), closeForwardTimeoutMs: 10_000 });
    await using _first = first;
    await using _second = second;
    const leaving = await subscribe(first.client, "leaving");
    await post(second.client, { eventJson: "one" });
    await until(() => leaving.received.length === 1);
    const staying = await subscribe(second.client, "staying", ({ userToken }) => {
      void ack(first.client, userToken).catch(() => undefined);
    });
    const watch = new Stopwatch();
    await closeClient(second.client, "leaving");
    expect(watch.undisturbedMs).toBeLessThan(5_000);
    // Two connections: the end may be read here a moment after the answer, though it was sent before.
    const answered = new Stopwatch();
    await until(() => leaving.outcome === "OK");
    expect(answered.undisturbedMs).toBeLessThan(200);
    await until(() => staying.bodies.includes("one") && second.events.counts.acked === 1);
    expect(first.events.counts.subscribers).toBe(0);
  });

  it("an ack whose server is gone: answered in time, and its event is not delivered again", async () => {
    const [first, second] = await start({ queue: uniqueName("gone"), ackForwardTimeoutMs: 1_000 });
    await using _second = second;
    const reader = new Reader(first.client.SubscribeEvents({ clientId: "reader" }));
    await post(second.client, { eventJson: "done" });
    await until(() => reader.received.length === 1);
    await first.end();
    const watch = new Stopwatch();
    await ack(second.client, reader.last.userToken);
    expect(watch.undisturbedMs).toBeLessThan(2_500);
    const again = await subscribe(second.client, "reader", ({ userToken }) => {
      void ack(second.client, userToken).catch(() => undefined);
    });
    await post(second.client, { eventJson: "next" });
    await until(() => again.bodies.includes("next"));
    await until(() => second.events.counts.settledUnsent === 1, "the event that is done to be settled unsent");
    expect(again.bodies).toEqual(["next"]);
  });
}
