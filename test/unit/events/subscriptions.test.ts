import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deferred } from "../../../src/util/deferred.js";
import { EventRig, event, type Node, SECOND_MS, stateOf, subscribe } from "./rig.js";

describe("subscriptions", () => {
  let rig: EventRig;
  let node: Node;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("ends the older stream of a client when a newer comes, which gets at once what the older held", async () => {
    const { client: old, subscription } = subscribe(node, "me");
    await node.events.post(event("e"));
    await rig.until(() => old.received.length === 1);
    await rig.clock.pass(SECOND_MS);
    const { client: fresh } = subscribe(node, "me");
    await rig.until(() => fresh.received.length === 1);
    expect(await subscription.closed).toBeUndefined();
    expect(subscription.state).toBe("closed");
    expect(old.ends).toBe(1);
    expect(fresh.ends).toBe(0);
    expect(node.events.counts).toMatchObject({ subscribers: 1, lost: 1, released: 0 });
  });

  it("lets the end of an older stream take away only itself", async () => {
    rig = new EventRig({ events: { subscribeIntervalMs: 0 } });
    node = rig.node();
    for (let round = 0; round < 50; round += 1) {
      const gone = new AbortController();
      subscribe(node, "me", gone.signal);
      const { client } = subscribe(node, "me");
      gone.abort();
      await rig.quiet();
      expect(client.ends).toBe(0);
      expect(node.events.counts.subscribers).toBe(1);
    }
    const { client: last } = subscribe(node, "me");
    await node.events.post(event("e"));
    await rig.until(() => last.received.length === 1);
  });

  it("ends a subscription whose signal has aborted already", async () => {
    const { client, subscription } = subscribe(node, "me", AbortSignal.abort());
    expect(await subscription.closed).toMatchObject({ code: "ABORTED" });
    expect(client.ends).toBe(1);
    expect(node.events.counts.subscribers).toBe(0);
  });

  it("answers closeClient once the stream has ended", async () => {
    const { client, subscription } = subscribe(node, "me");
    const ended = deferred<void>();
    client.ending = () => ended.promise;
    const first = node.events.closeClient("me");
    const second = node.events.closeClient("me");
    const states = [stateOf(first), stateOf(second)];
    await rig.quiet();
    expect(states.map(({ settled }) => settled)).toEqual([false, false]);
    ended.resolve();
    await Promise.all([first, second]);
    expect(subscription.state).toBe("closed");
    expect(client.ends).toBe(1);
  });

  it("answers closeClient in bounded time when the stream does not end", async () => {
    const { client } = subscribe(node, "me");
    client.ending = () => new Promise(() => {});
    const closing = node.events.closeClient("me");
    const state = stateOf(closing);
    await rig.clock.pass(999);
    expect(state.settled).toBe(false);
    await rig.clock.pass(1);
    await closing;
  });

  it("closes only the client that is named, and is content with one that is unknown", async () => {
    const { client } = subscribe(node, "other");
    const closing = Promise.all(["me", "", "x".repeat(300)].map((id) => node.events.closeClient(id)));
    await rig.clock.pass(SECOND_MS);
    await closing;
    expect(client.ends).toBe(0);
  });

  it("passes on what a closed client held", async () => {
    const { client } = subscribe(node, "me");
    await node.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
    const { client: other } = subscribe(node, "other");
    await node.events.closeClient("me");
    await rig.until(() => other.received.length === 1);
  });

  it("drains a subscription that is closed: nothing new, acks awaited, and what is left goes to others", async () => {
    const { client, subscription } = subscribe(node, "me");
    await node.events.post(event("a"));
    await node.events.post(event("b"));
    await rig.until(() => client.received.length === 2);
    const { client: other } = subscribe(node, "other");
    const closing = subscription.close({ drainMs: 2_000 });
    expect(subscription.state).toBe("closing");
    await node.events.post(event("c"));
    await rig.until(() => other.received.length === 1);
    expect(await node.events.ack(client.last.ackToken, true)).toBe("acked");
    expect(client.ends).toBe(0);
    await rig.clock.pass(2_000);
    await closing;
    await rig.until(() => other.received.length === 2);
    expect(client.received.length).toBe(2);
    expect(other.bodies.sort()).toEqual(["a", "c"]);
    expect(node.events.counts.lost).toBe(0);
  });

  it("closes at once when nothing is out, or when the drain is aborted", async () => {
    const { subscription: idle } = subscribe(node, "idle");
    await idle.close();
    expect(await idle.closed).toBeUndefined();
    const { client, subscription } = subscribe(node, "busy");
    await node.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
    const abort = new AbortController();
    const closing = subscription.close({ signal: abort.signal });
    abort.abort();
    await closing;
    await subscription.close();
  });

  it("subscribes also while the broker is away, says so, and delivers when it is back", async () => {
    rig.broker.refuseConnections(true);
    const { client, subscription } = subscribe(node, "me");
    await rig.clock.pass(60 * SECOND_MS);
    expect(subscription.state).toBe("recovering");
    expect(node.observations.some(({ type }) => type === "event-intake-failed")).toBe(true);
    rig.broker.refuseConnections(false);
    await rig.clock.pass(31 * SECOND_MS);
    await rig.until(() => subscription.state === "live");
    await node.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
  });

  it("takes events again after its consumer was lost", async () => {
    const { client, subscription } = subscribe(node, "me");
    await rig.until(() => subscription.state === "live");
    rig.broker.dropConsumers("events");
    const isLost = () => node.observations.some((seen) => seen.type === "consumer" && seen.state === "recovering");
    await rig.until(isLost);
    await rig.clock.pass(10 * SECOND_MS);
    await rig.until(() => subscription.state === "live");
    await node.events.post(event("e"));
    await rig.until(() => client.received.length === 1);
  });

  it("takes events for each who comes after everybody was gone", async () => {
    for (let round = 0; round < 20; round += 1) {
      const { client, subscription } = subscribe(node, `me-${round % 2}`);
      await node.events.post(event(`e${round}`));
      await rig.until(() => client.received.length === 1);
      expect(await node.events.ack(client.last.ackToken, true)).toBe("acked");
      await subscription.close({ drainMs: 0 });
      await rig.clock.pass(SECOND_MS / 2);
    }
    expect(node.events.counts).toMatchObject({ acked: 20, lost: 0 });
  });

  it.each([
    ["a long client id", "x".repeat(257), /257 bytes/],
    ["half a surrogate pair", "\udc00", /surrogate/],
  ])("refuses %s", (_, clientId, text) => {
    expect(() => subscribe(node, clientId)).toThrow(text);
    expect(node.events.counts.subscribers).toBe(0);
  });

  it("tells its observers who comes and goes", async () => {
    const gone = new AbortController();
    subscribe(node, "a", gone.signal);
    subscribe(node, "b");
    await rig.clock.pass(SECOND_MS);
    const { subscription } = subscribe(node, "b");
    gone.abort();
    await node.events.closeClient("b");
    await subscription.closed;
    const changes = node.observations.flatMap((seen) =>
      seen.type === "event-subscriber" ? [`${seen.clientId} ${seen.change}`] : [],
    );
    expect(changes).toEqual(["a joined", "b joined", "b joined", "b replaced", "a gone", "b closed"]);
  });
});
