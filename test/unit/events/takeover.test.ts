import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EventRig, event, type Node, SECOND_MS, subscribe, TestClient } from "./rig.js";

describe("subscribes of one client in quick succession", () => {
  let rig: EventRig;
  let node: Node;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("waits, unanswered, until a second after the last that took effect; then takes over", async () => {
    const { client: old, subscription: older } = subscribe(node, "me");
    await node.events.post(event("a"));
    await rig.until(() => old.received.length === 1);
    await rig.clock.pass(400);
    const { client: fresh, subscription } = subscribe(node, "me");
    await node.events.post(event("b"));
    await rig.clock.pass(599);
    expect([subscription.state, older.state]).toEqual(["recovering", "live"]);
    expect([fresh.received.length, fresh.ends, old.received.length, old.ends]).toEqual([0, 0, 2, 0]);
    expect(node.events.counts).toMatchObject({ subscribers: 1, waitingSubscribes: 1 });
    await rig.clock.pass(1);
    await rig.until(() => fresh.received.length === 2);
    expect([subscription.state, old.ends]).toEqual(["live", 1]);
    expect(await older.closed).toBeUndefined();
    expect(node.events.counts).toMatchObject({ subscribers: 1, waitingSubscribes: 0, lost: 2 });
  });

  it("lets the newest of those that wait take effect; the others end, none sooner than a second after it came", async () => {
    subscribe(node, "me");
    await rig.clock.pass(200);
    const { client: second } = subscribe(node, "me");
    await rig.clock.pass(300);
    const { client: third } = subscribe(node, "me");
    await rig.clock.pass(100);
    const { client: fourth, subscription: last } = subscribe(node, "me");
    const ends = (): number[] => [second, third, fourth].map((client) => client.ends);
    await rig.clock.pass(400);
    expect(last.state).toBe("live");
    expect(ends()).toEqual([0, 0, 0]);
    await rig.clock.pass(199);
    expect(ends()).toEqual([0, 0, 0]);
    await rig.clock.pass(1);
    expect(ends()).toEqual([1, 0, 0]);
    await rig.clock.pass(300);
    expect(ends()).toEqual([1, 1, 0]);
    expect(node.events.counts).toMatchObject({ subscribers: 1, waitingSubscribes: 0 });
  });

  it("comes down to one a second for clients that subscribe again as soon as they are ended", async () => {
    let subscribes = 0;
    const again = (): void => {
      if (subscribes > 1_000) return;
      subscribes += 1;
      const client = new TestClient();
      client.ending = async () => again();
      node.events.subscribe("me", client);
    };
    again();
    again();
    await rig.clock.pass(30 * SECOND_MS);
    expect(subscribes).toBeGreaterThanOrEqual(25);
    expect(subscribes).toBeLessThanOrEqual(33);
    subscribes = 10_000;
  });

  it("does not hold up other clients", async () => {
    for (let index = 0; index < 100; index += 1) subscribe(node, `client-${index}`);
    expect(node.events.counts).toMatchObject({ subscribers: 100, waitingSubscribes: 0 });
  });

  it("takes one that waits away when it is gone, closed, or named by closeClient", async () => {
    const { subscription: live } = subscribe(node, "me");
    const gone = new AbortController();
    const { subscription: first } = subscribe(node, "me", gone.signal);
    gone.abort();
    expect(await first.closed).toMatchObject({ code: "ABORTED" });
    const { subscription: second } = subscribe(node, "me");
    await second.close();
    expect(await second.closed).toBeUndefined();
    const { client: third } = subscribe(node, "me");
    expect(node.events.counts).toMatchObject({ subscribers: 1, waitingSubscribes: 1 });
    await node.events.closeClient("me");
    expect(third.ends).toBe(1);
    expect(live.state).toBe("closed");
    await rig.clock.pass(5 * SECOND_MS);
    expect(node.events.counts).toMatchObject({ subscribers: 0, waitingSubscribes: 0 });
    const changes = node.observations.flatMap((seen) => (seen.type === "event-subscriber" ? [seen.change] : []));
    expect(changes).toEqual(["joined", "closed"]);
  });

  it("ends those that wait when the service closes", async () => {
    subscribe(node, "me");
    const { client, subscription } = subscribe(node, "me");
    await node.events.close();
    expect(client.ends).toBe(1);
    expect(await subscription.closed).toBeUndefined();
  });

  it("leaves nothing behind after 20,000 of them, of one client and of many", async () => {
    for (const nameOf of [() => "me", (index: number) => `client-${index}`]) {
      for (let index = 0; index < 10_000; index += 1) {
        const gone = new AbortController();
        const { subscription } = subscribe(node, nameOf(index), gone.signal);
        gone.abort();
        if (index % 1_000 === 0) await subscription.closed;
      }
    }
    await rig.quiet();
    expect(node.events.counts).toMatchObject({ subscribers: 0, waitingSubscribes: 0, outstanding: 0, waiting: 0 });
    await rig.clock.pass(2 * SECOND_MS);
    const { client } = subscribe(node, "me");
    await node.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
  });
});
