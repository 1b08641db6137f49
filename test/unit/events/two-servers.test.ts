import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createEventService } from "../../../src/events/index.js";
import { deferred } from "../../../src/util/deferred.js";
import { type EventRig, event, MINUTE_MS, type Node, SECOND_MS, stateOf, subscribe, TestClient } from "./rig.js";
import { TwoServers } from "./two-servers-rig.js";

describe("two servers of one queue", () => {
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

  describe("an ack at the one that did not deliver", () => {
    it.each([
      [true, "acked"],
      [false, "nacked"],
    ])("is passed on: success %s", async (success, outcome) => {
      const client = await holding(1);
      expect(await within(200, second.events.ack(client.last.ackToken, success))).toBe(outcome);
      expect(first.events.counts).toMatchObject({ outstanding: 0, timedOut: 0, [outcome]: 1 });
      expect(second.events.counts).toMatchObject({ forwardedAcks: 1, unresolvedAcks: 0, [outcome]: 0 });
      await rig.until(() => rig.held().unsettled === 0);
      await rig.clock.pass(MINUTE_MS - SECOND_MS);
      expect(client.received.length).toBe(1);
      await rig.clock.pass(2 * SECOND_MS);
      await rig.quiet();
      expect(client.received.length).toBe(success ? 1 : 2);
    });

    it("is answered as there: late, repeated", async () => {
      const client = await holding(2);
      const [one = "", two = ""] = client.received.map(({ ackToken }) => ackToken);
      expect(await within(200, second.events.ack(one, true))).toBe("acked");
      expect(await within(200, second.events.ack(one, true))).toBe("repeated");
      await rig.clock.pass(5 * SECOND_MS);
      expect(await within(200, second.events.ack(two, true))).toBe("late");
      expect(second.events.counts).toMatchObject({ forwardedAcks: 3, unresolvedAcks: 0, settledUnsent: 0 });
      expect(first.events.counts).toMatchObject({ acked: 1, lateAcks: 1, repeatedAcks: 1 });
    });

    it("counts once, however often it is sent", async () => {
      const client = await holding(1);
      rig.broker.freeze();
      const ack = second.events.ack(client.last.ackToken, true);
      await rig.clock.pass(1_200);
      rig.broker.thaw();
      expect(await within(SECOND_MS, ack)).toBe("acked");
      await rig.quiet();
      expect(first.events.counts).toMatchObject({ acked: 1, repeatedAcks: 0, lateAcks: 0 });
    });

    it("is passed on again once links that were lost are back", async () => {
      const client = await holding(1);
      await within(200, second.events.closeClient("x".repeat(300)));
      rig.broker.dropConnections();
      await rig.clock.pass(5 * SECOND_MS);
      await rig.until(() => client.received.length === 2);
      expect(await within(2_000, second.events.ack(client.last.ackToken, true))).toBe("acked");
    });

    it("is passed on by a server that has neither posted nor subscribed, a thousand at once", async () => {
      const third = rig.node();
      const fourth = rig.node();
      const readers = Array.from({ length: 334 }, (_, index) => subscribe(first, `reader-${index}`).client);
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => third.events.post(event(`e${index}`))));
      const all = (): readonly string[] => readers.flatMap(({ received }) => received.map(({ ackToken }) => ackToken));
      await rig.until(() => all().length === 1_000);
      const outcomes = await within(2_000, Promise.all(all().map((token) => fourth.events.ack(token, true))));
      expect(new Set(outcomes)).toEqual(new Set(["acked"]));
      expect(rig.held()).toMatchObject({ ready: 0, unsettled: 0 });
    });

    it("is passed on during the drain of the one that delivered", async () => {
      const client = await holding(1);
      const closing = first.events.close();
      expect(await within(200, second.events.ack(client.last.ackToken, true))).toBe("acked");
      await closing;
    });
  });

  it("take a token of another queue for unknown, at once", async () => {
    const options = { clock: rig.clock, subscribeIntervalMs: 0 };
    const [one, other] = ["q1", "q2"].map((queue) =>
      createEventService({ ...options, messaging: first.messaging, queue }),
    );
    if (one === undefined || other === undefined) throw new Error("two services");
    const [near, far] = [new TestClient(), new TestClient()];
    one.subscribe("reader", near);
    await one.post(event("one"), { postId: "order-7" });
    await other.post(event("other"), { postId: "order-7" });
    await rig.until(() => near.received.length === 1);
    expect(await other.ack(near.last.ackToken, true)).toBe("unknown");
    expect(other.counts).toMatchObject({ unknownAcks: 1, unresolvedAcks: 0 });
    other.subscribe("reader", far);
    await rig.until(() => far.received.length === 1);
    expect(far.bodies).toEqual(["other"]);
    expect(await one.ack(near.last.ackToken, true)).toBe("acked");
  });

  describe("closeClient at the one that does not hold the client", () => {
    it("closes it where it is, and answers once its stream has ended", async () => {
      const { client, subscription } = subscribe(first, "reader");
      await rig.until(() => subscription.state === "live");
      const ended = deferred<void>();
      client.ending = () => ended.promise;
      const closing = second.events.closeClient("reader");
      const state = stateOf(closing);
      await rig.clock.pass(600);
      expect(client.ends).toBe(1);
      expect(state.settled).toBe(false);
      ended.resolve();
      await within(300, closing);
      expect(await subscription.closed).toBeUndefined();
      expect(first.events.counts.subscribers).toBe(0);
    });

    it("closes one there that waits to be let in", async () => {
      subscribe(first, "reader");
      const { client: waiting, subscription } = subscribe(first, "reader");
      await rig.clock.pass(100);
      expect(first.events.counts.waitingSubscribes).toBe(1);
      await within(500, second.events.closeClient("reader"));
      expect(waiting.ends).toBe(1);
      expect(await subscription.closed).toBeUndefined();
    });

    it("answers after a second for a client that nobody holds, and touches no other", async () => {
      const { client } = subscribe(first, "reader");
      const state = stateOf(second.events.closeClient("stranger"));
      await rig.clock.pass(999);
      expect(state.settled).toBe(false);
      await rig.clock.pass(1);
      await rig.until(() => state.settled);
      expect(client.ends).toBe(0);
    });

    it("ends the streams of a client that has one at each, and waits for its own only", async () => {
      const { client: here } = subscribe(second, "reader");
      const { client: there, subscription } = subscribe(first, "reader");
      there.ending = () => new Promise(() => {});
      await rig.quiet();
      await second.events.closeClient("reader");
      expect(here.ends).toBe(1);
      await rig.until(() => there.ends === 1);
      expect(subscription.state).toBe("closing");
      // It hears itself, and leaves alone who comes next.
      const { client: next } = subscribe(second, "reader");
      await rig.clock.pass(2 * SECOND_MS);
      expect([next.ends, subscription.state]).toEqual([0, "closed"]);
    });
  });

  it("opens nothing before it is used, and hears the others from its first post or subscribe on", async () => {
    await rig.quiet();
    const names = (node: Node) =>
      node.observations.flatMap((seen) => (seen.type === "subscription" ? [seen.broadcast] : []));
    expect([names(first), names(second)]).toEqual([[], []]);
    expect(first.messaging.state).toBe("idle");
    subscribe(first, "reader");
    await rig.until(() => names(first).length > 0);
    expect(names(first)).toEqual(["events.control"]);
    await expect(second.events.post(event("e", { userToken: "x".repeat(300) }))).rejects.toThrow();
    await rig.quiet();
    expect(second.messaging.state).toBe("idle");
    await second.events.post(event("e"));
    await rig.until(() => names(second).length > 0);
    expect(names(second)).toEqual(["events.control"]);
  });

  it("leaves alone what another version says, and what is none of its messages", async () => {
    const { subscription } = subscribe(first, "reader");
    await rig.until(() => subscription.state === "live");
    await rig.quiet();
    const control = second.messaging.broadcast("events.control");
    const bodies = [
      '{"v":2,"kind":"close"}',
      "7",
      "null",
      "{",
      '{"v":1,"kind":"done","from":"x","events":[7]}',
      '{"v":1}',
    ];
    for (const body of bodies) await control.publish({ body: Buffer.from(body) });
    await rig.quiet();
    const told = first.observations.filter(({ type }) => type === "discarded" || type === "handler-failed");
    expect(told.length).toBe(bodies.length);
    const closing = second.events.closeClient("reader");
    await within(300, closing);
  });
});
