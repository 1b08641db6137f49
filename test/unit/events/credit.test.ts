import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventRig, event, type Node, SECOND_MS, subscribe, TestClient } from "./rig.js";

describe("credit", () => {
  let rig: EventRig;
  let node: Node;

  const post = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, (_, index) => node.events.post(event(`e${index}`))));
  };
  /** Acknowledges all that the client has not acknowledged yet. */
  const ackAll = async (client: TestClient): Promise<void> => {
    await Promise.all(client.received.splice(0).map(({ ackToken }) => node.events.ack(ackToken, true)));
  };
  const outstanding = (): number => node.events.counts.outstanding;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("grows by one with each prompt ack, up to 100", async () => {
    const { client } = subscribe(node, "quick");
    await post(600);
    await rig.until(() => client.received.length === 3);
    await ackAll(client);
    await rig.clock.pass(SECOND_MS);
    await rig.until(() => outstanding() === 6);
    for (let round = 0; round < 6; round += 1) {
      await ackAll(client);
      await rig.clock.pass(SECOND_MS);
      await rig.quiet();
    }
    expect(outstanding()).toBe(100);
    await ackAll(client);
    await rig.clock.pass(SECOND_MS);
    await rig.until(() => outstanding() === 100);
  });

  it("does not grow with acks that take more than a quarter of the ack timeout, nor with failures", async () => {
    const { client } = subscribe(node, "steady");
    await post(40);
    await rig.until(() => client.received.length === 3);
    for (let round = 0; round < 4; round += 1) {
      await rig.clock.pass(1_251);
      await ackAll(client);
      await rig.quiet();
    }
    expect(outstanding()).toBe(3);
    await Promise.all(client.received.splice(0).map(({ ackToken }) => node.events.ack(ackToken, false)));
    await rig.clock.pass(SECOND_MS);
    expect(outstanding()).toBe(3);
  });

  it("halves with each time-out, and not under one", async () => {
    const { client } = subscribe(node, "slow");
    await post(40);
    for (let round = 0; round < 3; round += 1) {
      await ackAll(client);
      await rig.clock.pass(SECOND_MS);
      await rig.quiet();
    }
    const before = outstanding();
    expect(before).toBeGreaterThanOrEqual(12);
    client.received.length = 0;
    await rig.clock.pass(5 * SECOND_MS);
    await rig.quiet();
    expect(outstanding()).toBe(1);
    await rig.clock.pass(5 * SECOND_MS);
    expect(outstanding()).toBe(1);
  });

  it("is enough for a client that handles one at a time, without a time-out", async () => {
    const { client } = subscribe(node, "one-at-a-time");
    await post(60);
    let handled = 0;
    while (handled < 60) {
      await rig.until(() => client.received.length > handled);
      await rig.clock.pass(SECOND_MS);
      const token = client.received[handled]?.ackToken ?? "";
      expect(await node.events.ack(token, true)).toBe("acked");
      handled += 1;
    }
    expect(node.events.counts).toMatchObject({ timedOut: 0, acked: 60 });
  });

  it("lets no subscriber that holds all it may keep another from its events, at once", async () => {
    const { client: hoarder } = subscribe(node, "hoarder");
    await post(300);
    for (let round = 0; round < 7; round += 1) {
      await ackAll(hoarder);
      await rig.clock.pass(SECOND_MS);
      await rig.quiet();
    }
    const held = outstanding();
    expect(held).toBeGreaterThan(40);
    const { client: late } = subscribe(node, "late");
    await rig.until(() => late.received.length === 3);
  });

  it("is what the subscriber says, in all and not at once, where it says a number", async () => {
    const client = new TestClient();
    const subscription = node.events.subscribe("explicit", client, { credit: 0 });
    await post(20);
    await rig.quiet();
    expect(client.received.length).toBe(0);
    expect(rig.held()).toMatchObject({ ready: 20, unsettled: 0 });
    subscription.setCredit(5);
    await rig.until(() => client.received.length === 5);
    await ackAll(client);
    await rig.clock.pass(2 * SECOND_MS);
    expect(client.received.length).toBe(0);
    subscription.setCredit(4);
    subscription.setCredit(5);
    await rig.quiet();
    expect(client.received.length).toBe(0);
    subscription.setCredit(12);
    await rig.clock.pass(SECOND_MS);
    await rig.until(() => client.received.length === 7);
    // A time-out takes no credit away, and the next attempt needs some like any other.
    await rig.clock.pass(5 * SECOND_MS);
    expect(node.events.counts).toMatchObject({ timedOut: 7, outstanding: 0 });
    await rig.clock.pass(61 * SECOND_MS);
    expect(client.received.length).toBe(7);
    await rig.until(() => rig.held().ready === 15);
  });

  it("is at most 1,000 at once, whatever the subscriber says", async () => {
    const client = new TestClient();
    node.events.subscribe("greedy", client, { credit: Number.MAX_SAFE_INTEGER });
    await post(1_500);
    await rig.until(() => client.received.length === 1_000);
    await rig.quiet();
    expect(client.received.length).toBe(1_000);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses %s", async (credit) => {
    expect(() => node.events.subscribe("bad", new TestClient(), { credit })).toThrow(/whole number/);
    const subscription = node.events.subscribe("good", new TestClient(), { credit: 1 });
    expect(() => subscription.setCredit(credit)).toThrow(/whole number/);
    expect(node.events.counts.subscribers).toBe(1);
  });

  it("cannot be set where it was left to the service", () => {
    const { subscription } = subscribe(node, "adaptive");
    expect(() => subscription.setCredit(5)).toThrow(/subscribe with a number/);
  });

  it("is worth nothing with deliver: false: subscribers wait, posts go on, nothing is taken", async () => {
    await rig.close();
    rig = new EventRig({ events: { deliver: false } });
    node = rig.node();
    const { client, subscription } = subscribe(node, "waiting");
    await post(3);
    await rig.clock.pass(60 * SECOND_MS);
    expect(client.received.length).toBe(0);
    expect(subscription.state).toBe("recovering");
    expect(rig.held()).toMatchObject({ ready: 3, unsettled: 0 });
    await node.events.closeClient("waiting");
    expect(client.ends).toBe(1);
  });
});
