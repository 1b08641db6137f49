import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ackTokenStem, formatAckToken, queueTag } from "../../../src/events/ack-token.js";
import { type EventRig, event, MINUTE_MS, type Node, SECOND_MS, stateOf, subscribe, type TestClient } from "./rig.js";
import { TwoServers } from "./two-servers-rig.js";

const MARK = "0123456789abcdef".repeat(2);
const GONE = ackTokenStem({ nodeId: "node", incarnation: "gone", queueTag: queueTag("events") });

describe("an ack of an event whose server is gone", () => {
  let rig: EventRig;
  let first: Node;
  let second: Node;
  let servers: TwoServers;
  const holding = (count: number): Promise<TestClient> => servers.holding(count);
  const within = <T>(ms: number, promise: Promise<T>): Promise<T> => servers.within(ms, promise);

  beforeEach(() => {
    servers = new TwoServers();
    ({ rig, first, second } = servers);
  });
  afterEach(() => rig.close());

  const kill = async (node: Node): Promise<void> => {
    const closing = Promise.all([node.events.close({ drainMs: 0 }), node.messaging.close({ drainMs: 0 })]);
    await within(10 * SECOND_MS, closing);
  };

  it("is unresolved after 2 seconds, and the event is settled unsent where it comes next", async () => {
    const client = await holding(1);
    const token = client.last.ackToken;
    const third = rig.node();
    const { subscription } = subscribe(third, "elsewhere");
    await subscription.close();
    await kill(first);
    const ack = second.events.ack(token, true);
    const state = stateOf(ack);
    await rig.clock.pass(1_999);
    expect(state.settled).toBe(false);
    await rig.clock.pass(1);
    expect(await ack).toBe("unresolved");
    await rig.quiet();
    const { client: heir } = subscribe(third, "heir");
    await rig.until(() => third.events.counts.settledUnsent === 1);
    await rig.until(() => rig.held().ready === 0 && rig.held().unsettled === 0);
    expect(heir.received).toEqual([]);
    expect(second.events.counts).toMatchObject({ unresolvedAcks: 1, forwardedAcks: 0 });
    expect(second.observations).toContainEqual({ type: "event-ack-ignored", reason: "unresolved" });
  });

  it("settles the event where it is outstanding by then", async () => {
    const client = await holding(1);
    const token = client.last.ackToken;
    const third = rig.node();
    const { client: heir } = subscribe(third, "heir");
    await kill(first);
    await rig.until(() => heir.received.length === 1);
    expect(await within(2_100, second.events.ack(token, true))).toBe("unresolved");
    await rig.until(() => rig.held().unsettled === 0);
    expect(third.events.counts).toMatchObject({ settledHeld: 1, outstanding: 0 });
    expect(await third.events.ack(heir.last.ackToken, true)).toBe("late");
    await rig.clock.pass(2 * MINUTE_MS);
    expect(heir.received.length).toBe(1);
  });

  it("is forgotten after 10 minutes", async () => {
    const client = await holding(1);
    const token = client.last.ackToken;
    await kill(first);
    expect(await within(2_100, second.events.ack(token, true))).toBe("unresolved");
    await rig.clock.pass(10 * MINUTE_MS);
    const { client: heir } = subscribe(second, "heir");
    await rig.until(() => heir.received.length === 1);
  });

  it("is heard of by a server that has only posted", async () => {
    const third = rig.node();
    const { client } = subscribe(first, "reader");
    await third.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
    await rig.quiet();
    await kill(first);
    expect(await within(2_100, second.events.ack(client.last.ackToken, true))).toBe("unresolved");
    await rig.quiet();
    const { client: heir } = subscribe(third, "heir");
    await rig.until(() => third.events.counts.settledUnsent === 1);
    await rig.until(() => rig.held().ready === 0 && rig.held().unsettled === 0);
    expect(heir.received).toEqual([]);
  });

  it("keeps no event from being sent that is posted later under the same post id", async () => {
    const { client } = subscribe(first, "reader");
    await second.events.post(event("monday"), { postId: "report" });
    await rig.until(() => client.received.length === 1);
    await kill(first);
    await rig.clock.pass(MINUTE_MS);
    expect(await within(2_100, second.events.ack(client.last.ackToken, true))).toBe("unresolved");
    await rig.clock.pass(9 * MINUTE_MS);
    await second.events.post(event("tuesday"), { postId: "report" });
    const { client: heir } = subscribe(second, "heir");
    await rig.until(() => heir.received.length === 1);
    expect(heir.bodies).toEqual(["tuesday"]);
    expect(second.events.counts.settledUnsent).toBe(1);
  });

  it("knows the event also after a retry", async () => {
    const client = await holding(1);
    await within(200, second.events.ack(client.last.ackToken, false));
    await rig.clock.pass(MINUTE_MS);
    await rig.until(() => client.received.length === 2);
    const token = client.last.ackToken;
    await kill(first);
    const { client: heir } = subscribe(second, "heir");
    await rig.until(() => heir.received.length === 1);
    expect(heir.last.attempt).toBe(2);
    expect(await within(2_100, second.events.ack(token, true))).toBe("unresolved");
    await rig.until(() => rig.held().unsettled === 0);
    expect(second.events.counts).toMatchObject({ settledHeld: 1, outstanding: 0 });
  });

  it("says nothing of a message that no event service has posted: that comes again", async () => {
    const queue = second.messaging.queue("events");
    const { client } = subscribe(first, "reader");
    await queue.publish({ body: Buffer.from("plain"), messageId: "m" });
    await rig.until(() => client.received.length === 1);
    await kill(first);
    expect(await within(2_100, second.events.ack(client.last.ackToken, true))).toBe("unresolved");
    const { client: heir } = subscribe(second, "heir");
    await rig.until(() => heir.received.length === 1);
    expect(second.events.counts).toMatchObject({ settledUnsent: 0, settledHeld: 0 });
    expect(await within(2_100, second.events.ack(heir.last.ackToken, true))).toBe("acked");
  });

  it("costs little to hear of thousands, however many events are out", async () => {
    const { events, messaging } = second;
    for (let index = 0; index < 10; index += 1) {
      events.subscribe(`reader-${index}`, { deliver: async () => true }, { credit: 1_000 });
    }
    for (let round = 0; round < 10; round += 1) {
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => events.post(event(`${round}-${index}`))));
    }
    await rig.until(() => events.counts.outstanding === 10_000);
    const control = messaging.broadcast("events.control");
    const before = process.cpuUsage();
    for (let round = 0; round < 30; round += 1) {
      const done = Array.from({ length: 1_000 }, (_, index) => `${MARK}.id-${round}-${index}`);
      await control.publish({ body: Buffer.from(JSON.stringify({ v: 1, kind: "done", from: "x", events: done })) });
    }
    await rig.quiet();
    // To look for each among all of them takes twice that, and more.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(1_500);
    expect(second.observations.filter(({ type }) => type === "discarded")).toEqual([]);
    expect(events.counts).toMatchObject({ outstanding: 10_000, settledHeld: 0 });
  });

  it("changes nothing when it says that the event failed: that comes again in any case", async () => {
    const client = await holding(1);
    const token = client.last.ackToken;
    await kill(first);
    expect(await within(2_100, second.events.ack(token, false))).toBe("unresolved");
    const { client: heir } = subscribe(second, "heir");
    await rig.until(() => heir.received.length === 1);
    expect(heir.last.attempt).toBe(1);
  });

  it("is unresolved at once beyond 10,000 that are asked for", async () => {
    const token = (index: number): string => formatAckToken(`nonce-${index}`, GONE, MARK, `id-${index}`);
    const asked = Array.from({ length: 10_000 }, (_, index) => second.events.ack(token(index), false));
    expect(await second.events.ack(token(10_000), false)).toBe("unresolved");
    await within(2_100, second.events.close());
    await Promise.all(asked);
    expect(second.events.counts.unresolvedAcks).toBe(10_001);
  });

  it("is answered when this server closes", async () => {
    const ack = second.events.ack(formatAckToken("nonce", GONE, MARK, "id"), true);
    await rig.clock.pass(100);
    await within(100, second.events.close());
    expect(await ack).toBe("unresolved");
  });
});
