import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deferred } from "../../../src/util/deferred.js";
import { bodyOf, EventRig, event, type Node, stateOf, subscribe, TestClient } from "./rig.js";

describe("dispatch", () => {
  let rig: EventRig;
  let node: Node;

  const post = async (count: number, prefix = "e"): Promise<void> => {
    for (let index = 0; index < count; index += 1) await node.events.post(event(`${prefix}${index}`));
  };

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("takes nothing while nobody is subscribed, and uses no attempt", async () => {
    await post(5);
    const { subscription } = subscribe(node, "first");
    await subscription.close({ drainMs: 0 });
    await rig.clock.pass(3_600_000);
    await rig.until(() => rig.held().ready === 5);
    const { client } = subscribe(node, "late");
    await rig.until(() => client.received.length === 3);
    expect(client.received.every(({ attempt }) => attempt === 1)).toBe(true);
  });

  it("gives one subscriber no more than three events without an ack, and the next one for each ack", async () => {
    await post(5);
    const { client } = subscribe(node, "reader");
    await rig.until(() => client.received.length === 3);
    await rig.quiet();
    expect(client.bodies).toEqual(["e0", "e1", "e2"]);
    expect(await node.events.ack(client.last.ackToken, true)).toBe("acked");
    await rig.until(() => client.received.length === 4);
    await rig.quiet();
    expect(client.received.length).toBe(4);
    expect(rig.held()).toMatchObject({ ready: 1, unsettled: 3 });
    expect(node.events.counts).toMatchObject({ delivered: 4, acked: 1, outstanding: 3, waiting: 0, subscribers: 1 });
  });

  it("gives each event to one subscriber, and each of 40 subscribers the same share", async () => {
    const clients = Array.from({ length: 40 }, (_, index) => subscribe(node, `reader-${index}`).client);
    const all = (): number => clients.reduce((sum, { received }) => sum + received.length, 0);
    for (const round of [1, 2, 3]) {
      await post(120, `round-${round}-`);
      await rig.until(() => all() === 120 * round);
      expect(clients.map(({ received }) => received.length)).toEqual(Array.from({ length: 40 }, () => 3 * round));
      const tokens = clients.flatMap(({ received }) => received.slice(-3).map(({ ackToken }) => ackToken));
      await Promise.all(tokens.map((token) => node.events.ack(token, true)));
    }
    expect(new Set(clients.flatMap(({ bodies }) => bodies)).size).toBe(360);
    expect(rig.held()).toMatchObject({ ready: 0, unsettled: 0 });
  });

  it("hands over nothing more until the sink has room, even if it acknowledges before it says so", async () => {
    const { client } = subscribe(node, "reader");
    const room = deferred<boolean>();
    client.answer = ({ ackToken }) => {
      void node.events.ack(ackToken, true);
      return room.promise;
    };
    await post(3);
    await rig.until(() => node.events.counts.acked === 1);
    await rig.quiet();
    expect(client.bodies).toEqual(["e0"]);
    room.resolve(true);
    await rig.until(() => client.received.length === 3);
  });

  it("hands on at once to a sink that says at once that there is room, however many wait", async () => {
    const bodies: string[] = [];
    const taking = deferred<boolean>();
    let isFirst = true;
    node.events.subscribe("reader", {
      deliver(taken) {
        bodies.push(bodyOf(taken));
        void node.events.ack(taken.ackToken, true);
        if (!isFirst) return true;
        isFirst = false;
        return taking.promise;
      },
    });
    await post(300);
    taking.resolve(true);
    await rig.until(() => bodies.length === 300);
    expect(new Set(bodies).size).toBe(300);
    await rig.until(() => node.events.counts.acked === 300);
    expect(node.events.counts).toMatchObject({ outstanding: 0, waiting: 0 });
  });

  it("prefers who has the least outstanding", async () => {
    const { client: busy } = subscribe(node, "busy");
    await post(2);
    await rig.until(() => busy.received.length === 2);
    const { client: idle } = subscribe(node, "idle");
    await post(2, "next");
    await rig.until(() => idle.received.length === 2);
    expect(busy.received.length).toBe(2);
  });

  it("hands nothing more to a subscriber until it has room", async () => {
    const { client } = subscribe(node, "slow");
    const room = deferred<boolean>();
    client.answer = () => room.promise;
    await post(3);
    await rig.until(() => node.events.counts.waiting === 2);
    await rig.quiet();
    expect(client.bodies).toEqual(["e0"]);
    room.resolve(true);
    await rig.until(() => client.received.length === 3);
  });

  it("does not let a subscriber without room hold up another", async () => {
    const { client: stuck } = subscribe(node, "stuck");
    stuck.answer = () => new Promise(() => {});
    const { client: lively } = subscribe(node, "lively");
    lively.answer = async ({ ackToken }) => {
      void node.events.ack(ackToken, true);
      return true;
    };
    await post(20);
    await rig.until(() => lively.received.length === 19);
    expect(stuck.received.length).toBe(1);
  });

  it("gives back what no subscriber here has room for, so that another server can have it", async () => {
    const { client: stuck } = subscribe(node, "stuck");
    stuck.answer = () => new Promise(() => {});
    await post(3);
    await rig.until(() => node.events.counts.waiting === 2);
    const other = rig.node();
    const { client: lively } = subscribe(other, "lively");
    lively.answer = async ({ ackToken }) => {
      void other.events.ack(ackToken, true);
      return true;
    };
    await rig.clock.pass(5_000);
    await rig.until(() => lively.received.length >= 1);
    expect(lively.received.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(node.events.counts.released).toBeGreaterThanOrEqual(2);
  });

  it("gives back what waited for the last subscriber when that leaves, at once", async () => {
    const { client: stuck, subscription } = subscribe(node, "stuck");
    stuck.answer = () => new Promise(() => {});
    await post(3);
    await rig.until(() => node.events.counts.waiting === 2);
    void subscription.close({ drainMs: 1_000 });
    await rig.until(() => rig.held().ready === 2);
    expect(node.events.counts).toMatchObject({ waiting: 0, outstanding: 1 });
    await rig.clock.pass(1_000);
    await rig.until(() => rig.held().ready === 3);
  });

  it("hands what a lost subscriber held to another at once", async () => {
    const gone = new AbortController();
    const { client: first } = subscribe(node, "first", gone.signal);
    await post(3);
    await rig.until(() => first.received.length === 3);
    const { client: second } = subscribe(node, "second");
    const now = rig.clock.now();
    gone.abort();
    await rig.until(() => second.received.length === 3);
    expect(rig.clock.now()).toBe(now);
    expect(second.received.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    const tokens = [...first.received, ...second.received].map(({ ackToken }) => ackToken);
    expect(new Set(tokens).size).toBe(6);
    expect(await node.events.ack(first.last.ackToken, true)).toBe("late");
    expect(await node.events.ack(second.last.ackToken, true)).toBe("acked");
    expect(node.events.counts).toMatchObject({ lost: 3, lateAcks: 1, released: 0 });
  });

  it("gives back what a lost subscriber held when there is no other, and another server has it at once", async () => {
    const other = rig.node();
    const gone = new AbortController();
    const { client: first } = subscribe(node, "first", gone.signal);
    await post(3);
    await rig.until(() => first.received.length === 3);
    const { client: second } = subscribe(other, "second");
    gone.abort();
    await rig.until(() => second.received.length === 3);
    expect(second.received.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(node.events.counts).toMatchObject({ lost: 3, released: 3, outstanding: 0 });
  });

  it("passes events on when a sink says that its subscriber is gone", async () => {
    const { client: dead, subscription } = subscribe(node, "dead");
    dead.answer = async () => false;
    await post(1);
    await rig.until(() => subscription.state === "closed");
    expect(await subscription.closed).toMatchObject({ code: "ABORTED" });
    const { client } = subscribe(node, "alive");
    await rig.until(() => client.received.length === 1);
  });

  it("answers an ack once the broker knows of it", async () => {
    const { client } = subscribe(node, "reader");
    await post(1);
    await rig.until(() => client.received.length === 1);
    rig.broker.freeze();
    const ack = node.events.ack(client.last.ackToken, true);
    const state = stateOf(ack);
    await rig.clock.pass(4_999);
    rig.broker.thaw();
    await rig.until(() => state.settled);
    expect(await ack).toBe("acked");
    expect(rig.held()).toMatchObject({ ready: 0, unsettled: 0 });
  });

  it("answers an ack in bounded time when the broker does not", async () => {
    const { client } = subscribe(node, "reader");
    await post(1);
    await rig.until(() => client.received.length === 1);
    rig.broker.freeze();
    const ack = node.events.ack(client.last.ackToken, true);
    await rig.clock.pass(5_000);
    expect(await ack).toBe("unconfirmed");
    expect(node.events.counts.unconfirmedAcks).toBe(1);
  });

  it("counts, observes and otherwise ignores acks that are late, repeated or unknown", async () => {
    const { client } = subscribe(node, "reader");
    await post(2);
    await rig.until(() => client.received.length === 2);
    const [first, second] = client.received.map(({ ackToken }) => ackToken);
    await rig.clock.pass(4_000);
    expect(await node.events.ack(first ?? "", true)).toBe("acked");
    expect(await node.events.ack(first ?? "", true)).toBe("repeated");
    expect(await node.events.ack(first ?? "", false)).toBe("repeated");
    await rig.clock.pass(1_000);
    expect(await node.events.ack(second ?? "", true)).toBe("late");
    expect(await node.events.ack("", true)).toBe("unknown");
    expect(await node.events.ack(`${node.messaging.nodeId}.x`, false)).toBe("unknown");
    expect(node.events.counts).toMatchObject({ acked: 1, repeatedAcks: 2, lateAcks: 1, unknownAcks: 2 });
    const ignored = node.observations.filter(({ type }) => type === "event-ack-ignored");
    expect(ignored.map((observation) => "reason" in observation && observation.reason)).toEqual([
      "repeated",
      "repeated",
      "late",
      "unknown",
      "unknown",
    ]);
  });

  it("drops what it holds when the link is lost, and gets it again when the link is back", async () => {
    const { client } = subscribe(node, "reader");
    await post(2);
    await rig.until(() => client.received.length === 2);
    const [token] = client.received.map(({ ackToken }) => ackToken);
    rig.broker.dropConnections();
    await rig.until(() => node.events.counts.withdrawn === 2);
    expect(await node.events.ack(token ?? "", true)).toBe("late");
    await rig.clock.pass(5_000);
    await rig.until(() => client.received.length === 4);
    expect(client.received.slice(2).map(bodyOf).sort()).toEqual(["e0", "e1"]);
    expect(client.received.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    expect(node.events.counts.lost).toBe(0);
  });

  it("lets a sink acknowledge while it takes the event", async () => {
    const client = new TestClient();
    client.answer = async ({ ackToken }) => (await node.events.ack(ackToken, true)) === "acked";
    node.events.subscribe("eager", client);
    await post(10);
    await rig.until(() => node.events.counts.acked === 10);
    expect(client.received.length).toBe(10);
  });
});
