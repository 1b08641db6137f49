import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { ask, bytes, disconnect, type EventsClient, eventsClient, PostCall } from "./events-rig.js";
import { acknowledge, GrpcRig, post, type RigOptions, subscribe, until } from "./rig.js";

describe("fairlead.v1.Events posts", () => {
  let rig: GrpcRig;
  let client: EventsClient;

  const start = async (options: RigOptions = {}): Promise<void> => {
    rig = await GrpcRig.start(options);
    client = eventsClient(rig.address);
  };
  afterEach(async () => {
    disconnect(client);
    await rig.close();
  });

  it("one by one and in batches, with a result for each event and OK at the end", async () => {
    await start();
    const stream = new PostCall(client);
    stream.post({ body: bytes("1") });
    stream.post({ body: bytes("2") }, { body: bytes("3") }, { body: bytes("4") });
    stream.post();
    stream.post({ body: bytes("5") });
    await stream.finish();
    expect(stream.outcome).toBe("OK");
    expect([...stream.results.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
    expect([...stream.results.values()].every((result) => result.status === status.OK)).toBe(true);
    expect(rig.events.counts.posted).toBe(5);
  });

  it("bodies of any bytes, with everything that belongs to them", async () => {
    await start();
    const reader = await subscribe(rig.client(), "reader", acknowledge(rig.client()));
    const stream = new PostCall(client);
    stream.post({
      postId: "p",
      clientId: "poster",
      body: bytes('{"é":1}'),
      userToken: "mine",
      effectiveDate: { seconds: "-62135596800", nanos: 5 },
      searchKey1: "9223372036854775807",
      searchKey2: "-9223372036854775808",
    });
    await stream.finish();
    await until(() => reader.received.length === 1);
    expect(reader.last).toMatchObject({
      clientId: "poster",
      eventJson: '{"é":1}',
      futureUserToken: "mine",
      effectiveDate: { seconds: "-62135596800", nanos: 5 },
      searchKey1: "9223372036854775807",
      searchKey2: "-9223372036854775808",
    });
  });

  it("an event that fails fails alone, with code and text, and the stream goes on", async () => {
    await start({ events: { maxEventBytes: 1_000 } });
    const stream = new PostCall(client);
    stream.post({ body: bytes("good") }, { clientId: "x".repeat(257) }, { body: Buffer.alloc(1_001) }, {});
    await until(() => stream.results.size === 4);
    expect(stream.outcome).toBeUndefined();
    expect(stream.results.get(2)).toEqual({
      status: status.INVALID_ARGUMENT,
      code: "INVALID_ARGUMENT",
      message: expect.stringMatching(/client id has 257 bytes/),
      retryable: false,
    });
    expect(stream.results.get(3)).toMatchObject({ status: status.RESOURCE_EXHAUSTED, code: "TOO_LARGE" });
    stream.post({ body: bytes("and on") });
    await stream.finish();
    expect([1, 4, 5].map((sequence) => stream.status(sequence))).toEqual([status.OK, status.OK, status.OK]);
    expect(rig.events.counts.posted).toBe(3);
  });

  it("stores one event for one post id, on a stream, by Post, and by QueueApi's metadata", async () => {
    await start();
    const stream = new PostCall(client);
    stream.post({ postId: "a" }, { postId: "b" }, { postId: "a" });
    stream.post({ postId: "a" }, {}, {});
    await stream.finish();
    expect([...stream.results.values()].every((result) => result.status === status.OK)).toBe(true);
    await ask(client.Post.bind(client), { event: { postId: "b" } });
    const metadata = new Metadata();
    metadata.set("fairlead-post-id", "a");
    const queueApi = rig.client();
    for (const named of [true, true, false]) {
      await new Promise<void>((resolve, reject) => {
        queueApi.PostEvent({ eventJson: "{}" }, named ? metadata : new Metadata(), (error) =>
          error === null ? resolve() : reject(error),
        );
      });
    }
    expect(rig.events.counts).toMatchObject({ posted: 5, duplicatePosts: 5 });
  });

  it("takes 5,000 events in batches, tells each once, and in far fewer messages", async () => {
    await start();
    const stream = new PostCall(client);
    const body = Buffer.alloc(1_024, 1);
    for (let batch = 0; batch < 50; batch += 1) {
      stream.post(...Array.from({ length: 100 }, () => ({ body })));
    }
    await stream.finish();
    expect(stream.results.size).toBe(5_000);
    expect(stream.responses).toBeLessThan(2_500);
    expect(rig.events.counts).toMatchObject({ posted: 5_000, postsFailed: 0 });
  });

  it("stops reading while the broker takes nothing, holds little, refuses nothing, and goes on", async () => {
    await start();
    const stream = new PostCall(client);
    stream.post({ body: bytes("opens the connection to the broker") });
    await until(() => stream.results.size === 1);
    rig.broker.freeze();
    const body = Buffer.alloc(1_000_000);
    let taken = 0;
    const count = 100;
    for (let index = 0; index < count; index += 1) {
      stream.call.write({ events: [{ body }] }, () => {
        taken += 1;
      });
    }
    const quiet = async (): Promise<number> => {
      for (let before = -1; before !== taken; ) {
        before = taken;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      return taken;
    };
    // 16 MiB on their way, one request that waits, one that is held, and what the transport holds.
    expect(await quiet()).toBeLessThan(25);
    // Others are not held up.
    rig.broker.thaw();
    await stream.finish();
    expect(stream.results.size).toBe(1 + count);
    expect(rig.events.counts).toMatchObject({ posted: 1 + count, postsFailed: 0 });
  }, 20_000);

  it("shares its room among many streams, none of which starves, and refuses nothing", async () => {
    await start();
    const clients = Array.from({ length: 12 }, () => eventsClient(rig.address));
    try {
      const streams = clients.map((own) => new PostCall(own));
      rig.broker.freeze();
      for (const stream of streams) {
        for (let batch = 0; batch < 7; batch += 1) stream.post(...Array.from({ length: 100 }, () => ({})));
      }
      rig.broker.thaw();
      await Promise.all(streams.map((stream) => stream.finish()));
      for (const stream of streams) {
        expect(stream.outcome).toBe("OK");
        expect([...stream.results.values()].filter((result) => result.status !== status.OK)).toEqual([]);
        expect(stream.results.size).toBe(700);
      }
      expect(rig.events.counts.posted).toBe(8_400);
    } finally {
      for (const own of clients) disconnect(own);
    }
  });

  it("is not stopped by a client that does not read its results, and reads on when that one does", async () => {
    await start();
    const stream = new PostCall(client);
    stream.call.pause();
    // Each fails with a long text of its own.
    const bad = (index: number) => ({ clientId: `${index}-`.repeat(100) });
    for (let index = 0; index < 50; index += 1) stream.post(...Array.from({ length: 100 }, (_, at) => bad(at * 1_000)));
    await post(rig.client(), { eventJson: "others go on" });
    stream.call.resume();
    await stream.finish();
    expect(stream.results.size).toBe(5_000);
    expect(stream.outcome).toBe("OK");
  });

  it("ends with INVALID_ARGUMENT for a request that cannot be read, and RESOURCE_EXHAUSTED for too many entries", async () => {
    await start();
    const many = new PostCall(client);
    many.post(...Array.from({ length: 10_000 }, () => ({})));
    await until(() => many.results.size === 10_000);
    many.post(...Array.from({ length: 10_100 }, () => ({})));
    await until(() => many.outcome !== undefined);
    expect(many.outcome).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/at most 10000 entries/),
    });
    expect(rig.events.counts.posted).toBe(10_000);
  });

  it("tells UNAVAILABLE to events that come during a drain, after those under way, and then ends", async () => {
    await start();
    const stream = new PostCall(client);
    stream.post({ body: bytes("1") });
    await until(() => stream.results.size === 1);
    rig.broker.freeze();
    stream.post({ body: bytes("2") });
    await until(() => rig.broker.count("events")?.ready === 1);
    const reading = new PostCall(client);
    reading.post({ clientId: "x".repeat(257) });
    await until(() => reading.results.size === 1);
    const closing = rig.gateway.close();
    reading.post({ body: bytes("late") });
    await until(() => reading.results.size === 2);
    expect(reading.results.get(2)).toMatchObject({ status: status.UNAVAILABLE, message: /shutting down/ });
    rig.broker.thaw();
    await until(() => stream.results.size === 2);
    expect(stream.status(2)).toBe(status.OK);
    await closing;
    await until(() => stream.outcome !== undefined && reading.outcome !== undefined);
    expect(stream.outcome).toMatchObject({ code: status.UNAVAILABLE });
  });

  it("forgets a stream that is cancelled, with all that it had sent", async () => {
    await start();
    await post(rig.client(), { eventJson: "opens the connection to the broker" });
    for (let round = 0; round < 50; round += 1) {
      const stream = new PostCall(client);
      stream.post(...Array.from({ length: 100 }, () => ({})));
      if (round % 2 === 0) await until(() => stream.results.size > 0);
      stream.call.cancel();
      await until(() => stream.outcome !== undefined);
    }
    const last = new PostCall(client);
    last.post({});
    await last.finish();
    expect(last.status(1)).toBe(status.OK);
  });
});
