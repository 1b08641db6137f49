import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { OutgoingEvent } from "../../../src/events/index.js";
import { EventRig, event, HOUR_MS, type Node, SECOND_MS, stateOf, subscribe } from "./rig.js";

describe("post", () => {
  let rig: EventRig;
  let node: Node;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("resolves once the broker has the event, not before", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const post = node.events.post(event("a"));
    const state = stateOf(post);
    await rig.quiet();
    expect(state.settled).toBe(false);
    rig.broker.thaw();
    await post;
    expect(rig.held().ready).toBe(1);
    expect(node.events.counts.posted).toBe(1);
  });

  it("rejects with UNAVAILABLE when the broker does not confirm in time", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const post = node.events.post(event("a"));
    const rejected = expect(post).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await rig.clock.pass(30 * SECOND_MS);
    await rejected;
    expect(node.events.counts.postsFailed).toBe(1);
  });

  it("bounds the posts that wait for the broker", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const posts = Array.from({ length: 10_000 }, () => node.events.post(event("a")));
    await expect(node.events.post(event("b"))).rejects.toMatchObject({ code: "REJECTED", retryable: true });
    rig.broker.thaw();
    await Promise.all(posts);
    await node.events.post(event("now there is room"));
  });

  it.each<[string, (now: number) => OutgoingEvent["effectiveDate"], number]>([
    ["whole seconds", (now) => ({ seconds: now / 1_000 + 90, nanos: 0 }), 90_000],
    ["milliseconds", (now) => ({ seconds: now / 1_000 + 90, nanos: 250_000_000 }), 90_250],
    ["a nanosecond more", (now) => ({ seconds: now / 1_000 + 90, nanos: 250_000_001 }), 90_251],
    ["two years", (now) => ({ seconds: now / 1_000 + 730 * 86_400, nanos: 0 }), 730 * 24 * HOUR_MS],
  ])("holds an event back until its effective date: %s", async (_, dateAt, dueInMs) => {
    const { client } = subscribe(node, "reader");
    const date = dateAt(rig.clock.now());
    await node.events.post(event("later", { effectiveDate: date }));
    await rig.clock.pass(dueInMs - 1);
    await rig.quiet();
    expect(client.received).toEqual([]);
    await rig.clock.pass(1);
    await rig.until(() => client.received.length === 1);
    expect(client.last.effectiveDate).toEqual(date);
  });

  it.each([
    ["the past", { seconds: 0, nanos: 0 }],
    ["the first year", { seconds: -62_135_596_800, nanos: 1 }],
  ])("delivers an event of %s at once, with its date", async (_, effectiveDate) => {
    const { client } = subscribe(node, "reader");
    await node.events.post(event("old", { effectiveDate }));
    await rig.until(() => client.received.length === 1);
    expect(client.last.effectiveDate).toEqual(effectiveDate);
  });

  it("hands over what was posted, byte for byte, with the poster's id, keys and token", async () => {
    const { client } = subscribe(node, "reader");
    const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    const posted: OutgoingEvent = {
      body,
      clientId: "poster 💥\u0000",
      searchKey1: 2n ** 63n - 1n,
      searchKey2: -(2n ** 63n),
      userToken: "token é",
    };
    await node.events.post(posted);
    await rig.until(() => client.received.length === 1);
    const { ackToken, effectiveDate, ...delivered } = client.last;
    expect({ ...delivered, body: Buffer.from(delivered.body) }).toEqual({ ...posted, attempt: 1 });
    expect(effectiveDate).toEqual({ seconds: rig.clock.now() / 1_000, nanos: 0 });
    expect(ackToken).toContain(`.${node.messaging.nodeId}.`);
  });

  it("hands over an empty event with empty fields", async () => {
    const { client } = subscribe(node, "reader");
    await node.events.post({ body: new Uint8Array() });
    await rig.until(() => client.received.length === 1);
    expect(client.last).toMatchObject({ clientId: "", userToken: "", searchKey1: 0n, searchKey2: 0n });
    expect(client.last.body.byteLength).toBe(0);
  });

  it("hands over a message that was not posted as an event, and dead-letters one with broken headers", async () => {
    const { client } = subscribe(node, "reader");
    const queue = node.messaging.queue("events");
    await queue.publish({ body: Buffer.from("x"), headers: { "event-key1": "9223372036854775808" } });
    await queue.publish({
      body: Buffer.from("y"),
      headers: { "event-effective-date": "2026-13-01T00:00:00.000000000Z" },
    });
    await queue.publish({ body: Buffer.from("plain") });
    await rig.until(() => client.received.length === 1);
    expect(client.bodies).toEqual(["plain"]);
    expect(client.last.effectiveDate).toBeUndefined();
    expect(rig.held("events.dead").ready).toBe(2);
    expect(node.events.counts.deadLettered).toBe(2);
  });

  const x = (length: number): string => "x".repeat(length);
  it.each<[string, Partial<OutgoingEvent>, string, RegExp]>([
    ["no bytes", { body: "text" as unknown as Uint8Array }, "INVALID_ARGUMENT", /Uint8Array/],
    ["a byte too many", { body: Buffer.alloc(1_048_577) }, "TOO_LARGE", /1048577 bytes.*at most 1048576/],
    ["a long client id", { clientId: x(257) }, "INVALID_ARGUMENT", /client id has 257 bytes.*256/],
    ["a client id long in UTF-8", { clientId: "é".repeat(129) }, "INVALID_ARGUMENT", /258 bytes/],
    ["half a surrogate pair", { clientId: "\ud800" }, "INVALID_ARGUMENT", /surrogate/],
    ["a long token", { userToken: x(257) }, "INVALID_ARGUMENT", /user token has 257 bytes/],
    ["a key over 2^63 - 1", { searchKey1: 2n ** 63n }, "INVALID_ARGUMENT", /search key 1/],
    ["a key under -2^63", { searchKey2: -(2n ** 63n) - 1n }, "INVALID_ARGUMENT", /search key 2/],
    ["a number for a key", { searchKey1: 1 as unknown as bigint }, "INVALID_ARGUMENT", /search key 1/],
    ["the year 0", { effectiveDate: { seconds: -62_135_596_801, nanos: 0 } }, "INVALID_ARGUMENT", /0001 to 9999/],
    ["the year 10000", { effectiveDate: { seconds: 253_402_300_800, nanos: 0 } }, "INVALID_ARGUMENT", /0001 to 9999/],
    ["half a second", { effectiveDate: { seconds: 0.5, nanos: 0 } }, "INVALID_ARGUMENT", /0001 to 9999/],
    ["no number", { effectiveDate: { seconds: Number.NaN, nanos: 0 } }, "INVALID_ARGUMENT", /0001 to 9999/],
    ["negative nanos", { effectiveDate: { seconds: 0, nanos: -1 } }, "INVALID_ARGUMENT", /nanos/],
    ["a second of nanos", { effectiveDate: { seconds: 0, nanos: 1e9 } }, "INVALID_ARGUMENT", /nanos/],
  ])("refuses %s", async (_, fault, code, text) => {
    const error: unknown = await node.events.post({ ...event("a"), ...fault }).catch((thrown: unknown) => thrown);
    expect(MessagingError.is(error, code as MessagingError["code"])).toBe(true);
    expect((error as Error).message).toMatch(text);
    expect(rig.held().ready).toBe(0);
  });

  it("takes what is just within the limits", async () => {
    await node.events.post({
      body: Buffer.alloc(1_048_576),
      clientId: x(256),
      userToken: "é".repeat(128),
      effectiveDate: { seconds: 253_402_300_799, nanos: 999_999_999 },
    });
    expect(rig.held().delayed).toBe(1);
  });
});

describe("a future date where the adapter cannot delay", () => {
  it("is refused with UNSUPPORTED; a past one is not", async () => {
    const rig = new EventRig({ memory: { capabilities: { queue: { delayedDelivery: false } } } });
    const { events } = rig.node();
    const seconds = rig.clock.now() / 1_000 + 1;
    await expect(events.post(event("a", { effectiveDate: { seconds, nanos: 0 } }))).rejects.toMatchObject({
      code: "UNSUPPORTED",
    });
    await events.post(event("a", { effectiveDate: { seconds: seconds - 1, nanos: 0 } }));
    await rig.close();
  });
});
