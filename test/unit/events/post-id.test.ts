import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { messageIdOf, PostLedger } from "../../../src/events/post-ledger.js";
import { deferred } from "../../../src/util/deferred.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { EventRig, event, MINUTE_MS, type Node, SECOND_MS, stateOf, subscribe } from "./rig.js";

describe("posts with a post id", () => {
  let rig: EventRig;
  let node: Node;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("stores one event for each id within ten minutes", async () => {
    for (const postId of ["a", "b", "a", "a"]) await node.events.post(event(postId), { postId });
    await node.events.post(event("none"));
    await node.events.post(event("none"));
    expect(rig.held().ready).toBe(4);
    expect(node.events.counts).toMatchObject({ posted: 4, duplicatePosts: 2, postsFailed: 0 });
    await rig.clock.pass(10 * MINUTE_MS);
    await node.events.post(event("a"), { postId: "a" });
    expect(rig.held().ready).toBe(5);
  });

  it("answers a second post when the first is stored, not before", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const posts = [node.events.post(event("a"), { postId: "a" }), node.events.post(event("a"), { postId: "a" })];
    const states = posts.map(stateOf);
    await rig.quiet();
    expect(states.map(({ settled }) => settled)).toEqual([false, false]);
    rig.broker.thaw();
    await Promise.all(posts);
    expect(rig.held().ready).toBe(1);
  });

  it("fails a second post as the first, and then forgets the id", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const posts = [node.events.post(event("a"), { postId: "a" }), node.events.post(event("a"), { postId: "a" })];
    const rejected = posts.map((post) => expect(post).rejects.toMatchObject({ code: "UNAVAILABLE" }));
    await rig.clock.pass(30 * SECOND_MS);
    await Promise.all(rejected);
    rig.broker.thaw();
    await node.events.post(event("a"), { postId: "a" });
    expect(node.events.counts).toMatchObject({ posted: 1, postsFailed: 1, duplicatePosts: 1 });
  });

  it("goes on with a post whose caller has given up, for the caller that comes back", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const abort = new AbortController();
    const first = node.events.post(event("a"), { postId: "a", signal: abort.signal });
    const rejected = expect(first).rejects.toMatchObject({ code: "ABORTED" });
    await rig.quiet();
    abort.abort();
    await rejected;
    const again = node.events.post(event("a"), { postId: "a" });
    rig.broker.thaw();
    await again;
    expect(rig.held().ready).toBe(1);
    const aborted = { postId: "b", signal: AbortSignal.abort() };
    await expect(node.events.post(event("b"), aborted)).rejects.toMatchObject({ code: "ABORTED" });
    expect(rig.held().ready).toBe(1);
  });

  it("counts a repeated post as nothing else, also when there is no room for it", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const posts = [node.events.post(event("a"), { postId: "a" })];
    for (let index = 1; index < 10_000; index += 1) posts.push(node.events.post(event("b")));
    await expect(node.events.post(event("a"), { postId: "a" })).rejects.toMatchObject({ code: "REJECTED" });
    expect(node.events.counts).toMatchObject({ duplicatePosts: 1, postsFailed: 0 });
    await expect(node.events.post(event("c"))).rejects.toMatchObject({ code: "REJECTED" });
    expect(node.events.counts).toMatchObject({ duplicatePosts: 1, postsFailed: 1 });
    rig.broker.thaw();
    await Promise.all(posts);
    expect(node.events.counts).toMatchObject({ posted: 10_000, duplicatePosts: 1, postsFailed: 1 });
  });

  it("does not remember an event that was refused", async () => {
    const large = { body: Buffer.alloc(2_000_000) };
    await expect(node.events.post(large, { postId: "a" })).rejects.toMatchObject({ code: "TOO_LARGE" });
    await node.events.post(event("a"), { postId: "a" });
    expect(rig.held().ready).toBe(1);
  });

  it.each([
    ["an empty id", ""],
    ["a long id", "x".repeat(257)],
    ["half a surrogate pair", "\udc00"],
  ])("refuses %s", async (_, postId) => {
    await expect(node.events.post(event("a"), { postId })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("hands an event over under any post id", async () => {
    const { client } = subscribe(node, "reader");
    for (const postId of ["x".repeat(256), "é".repeat(128), "a\u0000b", "post:a"]) {
      await node.events.post(event(postId), { postId });
      await rig.until(() => client.received.length === 1);
      expect(client.bodies).toEqual([postId]);
      expect(await node.events.ack(client.last.ackToken, true)).toBe("acked");
      client.received.length = 0;
    }
  });

  it("makes a messageId of each that no other has, of at most 255 bytes", () => {
    const long = "x".repeat(256);
    const hashed = messageIdOf(long);
    const ids = ["a", "A", "post:a", long, `${long.slice(1)}y`, hashed, hashed.slice("post-".length), "é"];
    const messageIds = ids.map(messageIdOf);
    expect(new Set(messageIds).size).toBe(ids.length);
    expect(messageIds.every((id) => Buffer.byteLength(id) <= 255)).toBe(true);
    expect(messageIdOf("a")).toBe("post:a");
  });
});

describe("the ledger of post ids", () => {
  it("keeps a later post when an earlier one, whose time was over, fails", async () => {
    const clock = new VirtualClock();
    const ledger = new PostLedger({ clock, memoryMs: SECOND_MS });
    const early = { postId: "a", outcome: deferred<void>().promise };
    const late = { postId: "a", outcome: deferred<void>().promise };
    ledger.begin(early);
    expect(ledger.find("a")).toBe(early.outcome);
    await clock.pass(2 * SECOND_MS);
    expect(ledger.find("a")).toBeUndefined();
    ledger.begin(late);
    ledger.failed(early);
    expect(ledger.find("a")).toBe(late.outcome);
    ledger.failed(late);
    expect(ledger.find("a")).toBeUndefined();
  });
});
