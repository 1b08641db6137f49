import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { EventRig, event, type Node, stateOf, subscribe } from "./rig.js";

describe("close of the event service", () => {
  let rig: EventRig;
  let node: Node;

  beforeEach(() => {
    rig = new EventRig();
    node = rig.node();
  });
  afterEach(() => rig.close());

  it("refuses posts and subscribers, awaits the acks of what is out, then ends the streams", async () => {
    const { client, subscription } = subscribe(node, "me");
    for (const body of ["a", "b", "c", "d"]) await node.events.post(event(body));
    await rig.until(() => client.received.length === 3);
    const closing = node.events.close();
    const state = stateOf(closing);
    await expect(node.events.post(event("e"))).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => subscribe(node, "other")).toThrow(MessagingError);
    await rig.clock.pass(1_000);
    expect(state.settled).toBe(false);
    expect(client.ends).toBe(0);
    for (const { ackToken } of client.received) expect(await node.events.ack(ackToken, true)).toBe("acked");
    await rig.until(() => state.settled);
    expect(client.received.length).toBe(3);
    expect(client.ends).toBe(1);
    expect(await subscription.closed).toBeUndefined();
    expect(await node.events.closed).toBeUndefined();
    await rig.until(() => rig.held().ready === 1);
  });

  it("gives back what is not acknowledged when the drain is over, without an attempt or a loss", async () => {
    const { client } = subscribe(node, "me");
    for (const body of ["a", "b", "c"]) await node.events.post(event(body));
    await rig.until(() => client.received.length === 3);
    const other = rig.node();
    const { client: heir } = subscribe(other, "heir");
    const closing = node.events.close({ drainMs: 2_000 });
    await rig.clock.pass(2_000);
    await closing;
    await rig.until(() => heir.received.length === 3);
    expect(heir.received.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
    expect(node.events.counts.lost).toBe(0);
    expect(await node.events.ack(client.last.ackToken, true)).toBe("late");
  });

  it("gives back what waits for room at once", async () => {
    const { client } = subscribe(node, "stuck");
    client.answer = () => new Promise(() => {});
    for (const body of ["a", "b", "c"]) await node.events.post(event(body));
    await rig.until(() => node.events.counts.waiting === 2);
    const closing = node.events.close();
    await rig.until(() => rig.held().ready === 2);
    await rig.clock.pass(30_000);
    await closing;
  });

  it("gives back what a subscriber leaves during the drain, though others are still there", async () => {
    const gone = new AbortController();
    const { client } = subscribe(node, "leaver", gone.signal);
    await node.events.post(event("a"));
    await rig.until(() => client.received.length === 1);
    const { client: stayer } = subscribe(node, "stayer");
    await node.events.post(event("b"));
    await rig.until(() => stayer.received.length === 1);
    const closing = node.events.close();
    gone.abort();
    await rig.until(() => rig.held().ready === 1);
    expect(stayer.bodies).toEqual(["b"]);
    await node.events.ack(stayer.last.ackToken, true);
    await closing;
  });

  it("waits for posts that are under way", async () => {
    await node.messaging.open();
    rig.broker.freeze();
    const post = node.events.post(event("a"));
    const state = stateOf(node.events.close());
    await rig.clock.pass(1_000);
    expect(state.settled).toBe(false);
    rig.broker.thaw();
    await post;
    await rig.until(() => state.settled);
  });

  it("ends the drain when its signal aborts", async () => {
    const { client } = subscribe(node, "me");
    await node.events.post(event("a"));
    await rig.until(() => client.received.length === 1);
    const abort = new AbortController();
    const state = stateOf(node.events.close({ signal: abort.signal }));
    await rig.quiet();
    expect(state.settled).toBe(false);
    abort.abort();
    await rig.until(() => state.settled);
  });

  it.each([
    ["idle", async () => {}],
    [
      "while the broker is away",
      async () => {
        rig.broker.refuseConnections(true);
        subscribe(node, "me");
        await rig.clock.pass(500);
      },
    ],
    [
      "while it waits to try the broker again",
      async () => {
        rig.broker.refuseConnections(true);
        subscribe(node, "me");
        await rig.until(() => true);
        await rig.clock.pass(10_100);
      },
    ],
    [
      "while the consumer is being set up",
      async () => {
        rig.broker.freeze();
        subscribe(node, "me");
        await rig.quiet();
      },
    ],
  ])("closes soon: %s", async (_, prepare) => {
    await prepare();
    const closing = Promise.all([node.events.close(), node.events.close({ drainMs: 0 })]);
    const state = stateOf(closing);
    await rig.clock.pass(10_000);
    await rig.until(() => state.settled);
    expect(node.events.counts.subscribers).toBe(0);
  });

  it("closes with the cause when the messaging under it ends", async () => {
    const { client, subscription } = subscribe(node, "me");
    await rig.until(() => subscription.state === "live");
    const closing = node.messaging.close({ drainMs: 0 });
    await rig.clock.pass(10_000);
    await closing;
    expect(await node.events.closed).toMatchObject({ code: "CLOSED" });
    expect(client.ends).toBe(1);
    await expect(node.events.post(event("a"))).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("leaves no timer behind", async () => {
    const { client } = subscribe(node, "me");
    for (const body of ["a", "b", "c", "d"]) await node.events.post(event(body));
    await rig.until(() => client.received.length === 3);
    await node.events.ack(client.last.ackToken, true);
    await node.events.closeClient("me");
    const closing = Promise.all([node.events.close({ drainMs: 0 }), node.messaging.close({ drainMs: 0 })]);
    const state = stateOf(closing);
    for (let turn = 0; turn < 100 && !state.settled; turn += 1) await rig.clock.pass(100);
    expect(rig.clock.pending).toBe(0);
  });
});
