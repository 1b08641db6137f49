import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { ask, bytes, disconnect, type EventsClient, EventsReader, eventsClient } from "./events-rig.js";
import { closeClient, GrpcRig, post, Reader, type RigOptions, subscribe, until } from "./rig.js";

describe("fairlead.v1.Events subscribes", () => {
  let rig: GrpcRig;
  const clients: EventsClient[] = [];

  const connect = (): EventsClient => {
    const client = eventsClient(rig.address);
    clients.push(client);
    return client;
  };
  const start = async (options: RigOptions = {}): Promise<EventsClient> => {
    rig = await GrpcRig.start(options);
    return connect();
  };
  const join = async (
    client: EventsClient,
    request: { clientId: string; credit?: number },
    onEvent?: ConstructorParameters<typeof EventsReader>[1],
  ): Promise<EventsReader> => {
    const reader = new EventsReader(client, onEvent);
    const before = rig.events.counts.subscribers;
    reader.call.write(request);
    await until(() => rig.events.counts.subscribers > before, "the subscription");
    return reader;
  };
  const postMany = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index += 1) await rig.events.post({ body: bytes(`${index}`) });
  };
  afterEach(async () => {
    for (const client of clients.splice(0)) disconnect(client);
    await rig.close();
  });

  it("with credit: so many events and no more, in as few messages as they come in; acks raise nothing", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader", credit: 0 });
    await until(() => reader.headersCame);
    await postMany(50);
    expect(reader.received).toEqual([]);
    reader.call.write({ credit: 10 });
    await until(() => reader.received.length === 10);
    reader.call.write({ credit: 5 });
    reader.call.write({ credit: 10, acks: reader.received.map(({ ackToken }) => ({ ackToken, success: true })) });
    await until(() => reader.acks.length === 10);
    expect(new Set(reader.acks.map(({ outcome }) => outcome))).toEqual(new Set(["ACK_OUTCOME_ACKED"]));
    expect(reader.received.length).toBe(10);
    const messages = reader.messages;
    reader.call.write({ credit: 50 });
    await until(() => reader.received.length === 50);
    expect(reader.messages - messages).toBeLessThan(40);
    expect(reader.bodies.sort()).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`).sort());
  });

  it("with everything that was posted, the attempt, and a token that is new each time", async () => {
    const client = await start({ events: { retryScheduleMs: [1, 1] } });
    const reader = await join(client, { clientId: "reader", credit: 10 });
    await ask(client.Post.bind(client), {
      event: {
        clientId: "poster",
        body: Buffer.from([0, 255, 0xc3]),
        userToken: "mine",
        effectiveDate: { seconds: "7", nanos: 9 },
        searchKey1: "-9223372036854775808",
        searchKey2: "9007199254740993",
      },
    });
    await until(() => reader.received.length === 1);
    reader.ack(reader.received[0]?.ackToken ?? "", false);
    await until(() => reader.received.length === 2);
    const [first, second] = reader.received;
    expect(second).toMatchObject({
      attempt: 2,
      body: Buffer.from([0, 255, 0xc3]),
      clientId: "poster",
      userToken: "mine",
      effectiveDate: { seconds: "7", nanos: 9 },
      searchKey1: "-9223372036854775808",
      searchKey2: "9007199254740993",
    });
    expect(first?.attempt).toBe(1);
    expect(first?.ackToken).not.toBe(second?.ackToken);
    expect(reader.acks).toEqual([{ ackToken: first?.ackToken, outcome: "ACK_OUTCOME_NACKED" }]);
  });

  it("without credit: by how quickly acks come, and later credit is ignored", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader" }, ({ ackToken }, self) => self.ack(ackToken));
    reader.call.write({ credit: 1 });
    await postMany(100);
    await until(() => reader.acks.length === 100);
    expect(rig.events.counts).toMatchObject({ acked: 100, timedOut: 0 });
  });

  it("and acknowledges by Ack, at once and in batches, with what each came to", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader", credit: 3 });
    await postMany(3);
    await until(() => reader.received.length === 3);
    const [one, two, three] = reader.received.map(({ ackToken }) => ackToken);
    const acks = [
      { ackToken: one, success: true },
      { ackToken: "nonsense", success: true },
      { ackToken: two, success: false },
      { ackToken: one, success: true },
      { ackToken: three, success: true },
    ];
    const { results } = (await ask(connect().Ack.bind(client), { acks } as never)) as never as {
      results: { outcome: string }[];
    };
    expect(results.map(({ outcome }) => outcome)).toEqual([
      "ACK_OUTCOME_ACKED",
      "ACK_OUTCOME_UNKNOWN",
      "ACK_OUTCOME_NACKED",
      "ACK_OUTCOME_REPEATED",
      "ACK_OUTCOME_ACKED",
    ]);
  });

  it("on one stream per client, with QueueApi: the newest wins, Close ends it with OK before it answers", async () => {
    const client = await start({ events: { subscribeIntervalMs: 1 } });
    const old = await join(client, { clientId: "me", credit: 1 });
    const newer = new Reader(rig.client().SubscribeEvents({ clientId: "me" }));
    await until(() => old.outcome === "OK");
    await ask(client.Close.bind(client), { clientId: "me" });
    await until(() => newer.outcome === "OK");
    const own = await join(client, { clientId: "me", credit: 1 });
    await closeClient(rig.client(), "me");
    await until(() => own.outcome === "OK");
    await ask(client.Close.bind(client), { clientId: "nobody" });
  });

  it("and what a cancelled stream holds goes to others at once", async () => {
    const client = await start();
    const first = await join(client, { clientId: "first", credit: 10 });
    await postMany(5);
    await until(() => first.received.length === 5);
    const second = await join(connect(), { clientId: "second", credit: 10 });
    first.call.cancel();
    await until(() => second.received.length === 5);
    expect(rig.events.counts).toMatchObject({ lost: 5, timedOut: 0 });
  });

  it("may half-close: events come, up to the credit, and are acknowledged elsewhere", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader", credit: 2 });
    reader.call.end();
    await postMany(3);
    await until(() => reader.received.length === 2);
    expect(reader.outcome).toBeUndefined();
    await ask(client.Close.bind(client), { clientId: "reader" });
    await until(() => reader.outcome === "OK");
  });

  it("beside a reader that does not read, who gets what fits and holds up nobody", async () => {
    const client = await start({ events: { ackTimeoutMs: 60_000 } });
    const stalled = await join(client, { clientId: "stalled", credit: 1_000 });
    stalled.call.pause();
    const lively = await join(connect(), { clientId: "lively", credit: 1_000 }, ({ ackToken }, self) =>
      self.ack(ackToken),
    );
    const body = Buffer.alloc(100_000);
    for (let index = 0; index < 200; index += 1) await rig.events.post({ body });
    // A client of this library that is paused still takes sixteen messages.
    await until(() => lively.acks.length + rig.events.counts.outstanding === 200 && lively.acks.length > 140);
    stalled.call.resume();
    await until(() => stalled.received.length + lively.received.length === 200);
  });

  it("reads acks no further than it can answer them", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader", credit: 0 });
    reader.call.pause();
    const token = "x".repeat(400);
    let taken = 0;
    for (let index = 0; index < 200; index += 1) {
      reader.call.write({ acks: Array.from({ length: 100 }, () => ({ ackToken: token, success: true })) }, () => {
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
    expect(await quiet()).toBeLessThan(60);
    reader.call.resume();
    await until(() => reader.acks.length === 20_000);
    expect(rig.events.counts.unknownAcks).toBe(20_000);
  }, 20_000);

  it("stays open and quiet during a drain, takes its acks, and ends with its connection", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "reader", credit: 10 });
    await postMany(1);
    await until(() => reader.received.length === 1);
    const closing = rig.gateway.close();
    await expect(ask(client.Post.bind(client), { event: {} })).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(reader.outcome).toBeUndefined();
    reader.ack(reader.received[0]?.ackToken ?? "");
    await until(() => reader.acks.length === 1);
    await closing;
    await until(() => reader.outcome === "OK");
    expect(rig.events.counts).toMatchObject({ acked: 1, lost: 0 });
  });

  it("shares with subscribers of QueueApi", async () => {
    const client = await start();
    const reader = await join(client, { clientId: "a", credit: 3 });
    const other = await subscribe(rig.client(), "b");
    for (let index = 0; index < 6; index += 1) await post(rig.client(), { eventJson: `${index}` });
    await until(() => reader.received.length + other.received.length === 6);
    expect([...reader.bodies, ...other.bodies].sort()).toEqual(["0", "1", "2", "3", "4", "5"]);
  });

  it.each([
    ["two client ids", [{ clientId: "a", credit: 1 }, { clientId: "b" }], /client_id differs/],
    ["a client id that is too long", [{ clientId: "x".repeat(257) }], /client id has 257 bytes/],
    ["no request", [], /half-closed before the first request/],
  ])("refuses %s, but not quickly", async (_, requests, details) => {
    const client = await start({ grpc: { refusalDelayMs: 300 } });
    const started = Date.now();
    const reader = new EventsReader(client);
    for (const request of requests) reader.call.write(request);
    if (requests.length === 0) reader.call.end();
    await until(() => reader.outcome !== undefined);
    expect(Date.now() - started).toBeGreaterThanOrEqual(299);
    expect(reader.outcome).toMatchObject({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(details) });
    await until(() => rig.events.counts.subscribers === 0);
  });
});
