import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import type { QueueApiClient } from "../../../adapters/grpc/index.js";
import { ack, acknowledge, closeClient, GrpcRig, post, type RigOptions, subscribe, until } from "./rig.js";
import { encode, text, WireClient } from "./wire-client.js";

describe("queue.QueueApi", () => {
  let rig: GrpcRig;

  const start = async (options: RigOptions = {}): Promise<QueueApiClient> => {
    rig = await GrpcRig.start(options);
    return rig.client();
  };
  afterEach(() => rig.close());

  it.each(["9223372036854775807", "-9223372036854775808", "9007199254740993", "-1", "0"])(
    "carries the search key %s whole",
    async (key) => {
      const client = await start();
      const reader = await subscribe(client, "reader");
      await post(client, { eventJson: "{}", searchKey1: key, searchKey2: key });
      await until(() => reader.received.length === 1);
      expect(reader.last).toMatchObject({ searchKey1: key, searchKey2: key });
    },
  );

  it("carries events of any text byte for byte: empty, no JSON, NUL, a byte order mark, all planes", async () => {
    const client = await start();
    const reader = await subscribe(client, "reader", acknowledge(client));
    const texts = ["", "no { json", "\u0000", "\uFEFFbom", '"\\\n\t', "é€𐍈💥\u{10FFFF}", "x".repeat(1_048_576)];
    for (const eventJson of texts) await post(client, { eventJson });
    await until(() => reader.received.length === texts.length);
    expect(reader.bodies).toEqual(texts);
  });

  it("delivers with a token for the ack, and the poster's token beside it", async () => {
    const client = await start();
    const reader = await subscribe(client, "reader");
    await post(client, { clientId: "poster", userToken: "mine", futureUserToken: "ignored", eventJson: "{}" });
    await until(() => reader.received.length === 1);
    expect(reader.last).toMatchObject({ clientId: "poster", futureUserToken: "mine" });
    expect(reader.last.userToken).not.toBe("mine");
    await ack(client, "mine");
    expect(rig.events.counts).toMatchObject({ unknownAcks: 1, outstanding: 1 });
    await ack(client, reader.last.userToken);
    expect(rig.events.counts).toMatchObject({ acked: 1, outstanding: 0 });
  });

  it("delivers an event with a future date then and not before, to the nanosecond's millisecond", async () => {
    const client = await start();
    const arrivals: number[] = [];
    const reader = await subscribe(client, "reader", () => arrivals.push(Date.now()));
    const dueMs = Date.now() + 5_000;
    const seconds = Math.floor(dueMs / 1_000);
    const effectiveDate = { seconds: String(seconds), nanos: (dueMs - seconds * 1_000) * 1_000_000 + 1 };
    await post(client, { eventJson: "later", effectiveDate });
    await post(client, { eventJson: "past", effectiveDate: { seconds: "-62135596800", nanos: 0 } });
    await post(client, { eventJson: "now" });
    await until(() => reader.received.length === 3);
    expect(reader.bodies).toEqual(["past", "now", "later"]);
    expect(arrivals[2]).toBeGreaterThan(dueMs);
    expect(reader.received.map((event) => event.effectiveDate)).toMatchObject([
      { seconds: "-62135596800", nanos: 0 },
      { nanos: expect.any(Number) },
      effectiveDate,
    ]);
  });

  it("delivers again after a nack, and after no ack, under a new token each time", async () => {
    const client = await start({ events: { retryScheduleMs: [20, 20], ackTimeoutMs: 4_000 } });
    const reader = await subscribe(client, "reader");
    await post(client, { eventJson: "e", userToken: "mine" });
    await until(() => reader.received.length === 1);
    await ack(client, reader.last.userToken, false);
    await until(() => reader.received.length === 3);
    await ack(client, reader.last.userToken);
    expect(new Set(reader.tokens).size).toBe(3);
    expect(reader.received.map(({ futureUserToken }) => futureUserToken)).toEqual(["mine", "mine", "mine"]);
    expect(rig.events.counts).toMatchObject({ nacked: 1, timedOut: 1, acked: 1, outstanding: 0 });
  });

  it("gives the events of a subscriber whose connection is lost to another", async () => {
    const client = await start();
    const doomed = new WireClient(rig.address);
    const first = doomed.call("/queue.QueueApi/SubscribeEvents", encode([[1, text("first")]]));
    for (const eventJson of ["a", "b", "c"]) await post(client, { eventJson });
    await until(() => first.messages.length === 3);
    const second = await subscribe(client, "second");
    doomed.close();
    await until(() => second.received.length === 3);
    expect(second.bodies.sort()).toEqual(["a", "b", "c"]);
    expect(rig.events.counts).toMatchObject({ lost: 3, released: 0, timedOut: 0 });
  });

  it("lets the newest stream of a client win; the old one ends with OK", async () => {
    const client = await start();
    const old = await subscribe(client, "me");
    const fresh = await subscribe(client, "me");
    await until(() => old.outcome === "OK");
    await post(client, { eventJson: "e" });
    await until(() => fresh.received.length === 1);
    expect(old.received).toEqual([]);
    expect(rig.events.counts.subscribers).toBe(1);
  });

  it("lets the cancel of an old stream take away only that stream", async () => {
    const client = await start();
    let reader = await subscribe(client, "me");
    for (let round = 0; round < 50; round += 1) {
      const old = reader;
      old.call.cancel();
      reader = await subscribe(client, "me");
      await until(() => old.outcome !== undefined);
    }
    await post(client, { eventJson: "e" });
    await until(() => reader.received.length === 1);
    expect(reader.outcome).toBeUndefined();
    expect(rig.events.counts.subscribers).toBe(1);
  });

  it("closes from any connection, and a client that is unknown, and twice at once", async () => {
    const client = await start();
    const reader = await subscribe(client, "me");
    const other = rig.client();
    await closeClient(other, "nobody");
    await closeClient(other, "");
    await Promise.all([closeClient(other, "me"), closeClient(client, "me")]);
    await until(() => reader.outcome === "OK");
  });

  it("gives 40 subscribers on as many connections the same share", async () => {
    const client = await start();
    const readers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => subscribe(rig.client(), `reader-${index}`)),
    );
    await until(() => rig.events.counts.subscribers === 40);
    const shares = (): number[] => readers.map(({ received }) => received.length);
    for (const round of [1, 2]) {
      await Promise.all(Array.from({ length: 120 }, (_, index) => post(client, { eventJson: `${round}-${index}` })));
      await until(() => shares().reduce((sum, share) => sum + share, 0) === 120 * round);
      expect(shares()).toEqual(Array.from({ length: 40 }, () => 3 * round));
      await Promise.all(readers.flatMap(({ tokens }) => tokens.slice(-3).map((token) => ack(client, token))));
    }
    expect(new Set(readers.flatMap(({ bodies }) => bodies)).size).toBe(240);
  });

  it("answers a post with UNAVAILABLE and text while the broker is away, and takes it when it is back", async () => {
    const client = await start({ events: { postTimeoutMs: 1_500 } });
    await post(client, { eventJson: "before" });
    rig.broker.freeze();
    await expect(post(client, { eventJson: "e" })).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringMatching(/publish to events: no success within 1500 ms/),
    });
    rig.broker.thaw();
    await post(client, { eventJson: "after" });
  });

  it("keeps streams open while the broker is away, and delivers on them when it is back", async () => {
    const client = await start();
    const reader = await subscribe(client, "reader");
    await post(client, { eventJson: "a" });
    await until(() => reader.received.length === 1);
    rig.broker.dropConnections();
    await post(client, { eventJson: "b" });
    await until(() => reader.bodies.includes("b"));
    expect(reader.outcome).toBeUndefined();
  });
});
