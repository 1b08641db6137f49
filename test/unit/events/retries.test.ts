import { afterEach, describe, expect, it } from "vitest";
import { EventRig, event, HOUR_MS, MINUTE_MS, type Node, type RigOptions, subscribe, type TestClient } from "./rig.js";

const SCHEDULE_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 48 * HOUR_MS];
const ACK_TIMEOUT_MS = 5_000;

describe("retries", () => {
  let rig: EventRig;

  const setUp = async (options: RigOptions = {}): Promise<{ readonly node: Node; readonly client: TestClient }> => {
    rig = new EventRig(options);
    const node = rig.node();
    const { client } = subscribe(node, "reader");
    await node.events.post(event("e", { userToken: "mine" }));
    await rig.until(() => client.received.length === 1);
    return { node, client };
  };

  /** Expects the next attempt exactly `ms` from now. */
  const expectAfter = async (client: TestClient, ms: number): Promise<void> => {
    const before = client.received.length;
    await rig.clock.pass(ms - 1);
    await rig.quiet();
    expect(client.received.length).toBe(before);
    await rig.clock.pass(1);
    await rig.until(() => client.received.length === before + 1);
  };

  afterEach(() => rig.close());

  it("follows the schedule after each nack, counted from the nack, and dead-letters with all reasons", async () => {
    const { node, client } = await setUp();
    for (const [index, step] of SCHEDULE_MS.entries()) {
      expect(client.last).toMatchObject({ attempt: index + 1, userToken: "mine" });
      await rig.clock.pass(1_234);
      expect(await node.events.ack(client.last.ackToken, false)).toBe("nacked");
      await expectAfter(client, step);
    }
    expect(client.last.attempt).toBe(8);
    expect(new Set(client.received.map(({ ackToken }) => ackToken)).size).toBe(8);
    await node.events.ack(client.last.ackToken, false);
    await rig.until(() => rig.held("events.dead").ready === 1);
    expect(node.events.counts).toMatchObject({ nacked: 8, deadLettered: 1, timedOut: 0 });
    const given = () => node.observations.find((seen) => seen.type === "settled" && seen.outcome === "dead-letter");
    await rig.until(() => given() !== undefined);
    const settled = given();
    expect(settled).toMatchObject({ attempt: 8, reached: true });
    const reason = settled?.type === "settled" ? (settled.reason ?? "") : "";
    expect(reason).toMatch(
      /^given up after 8 failed attempts; attempt 8 at 1970-01-04T.*; attempt 1 at 1970-01-01T00:16:\d\d\.\d{3}Z: nack$/,
    );
    expect(reason.match(/: nack/g)).toHaveLength(8);
  });

  it("follows the schedule when no ack comes, counted from the time-out", async () => {
    const { node, client } = await setUp();
    for (const step of SCHEDULE_MS.slice(0, 3)) await expectAfter(client, ACK_TIMEOUT_MS + step);
    expect(client.last.attempt).toBe(4);
    expect(node.events.counts).toMatchObject({ timedOut: 3, lost: 0 });
    expect(await node.events.ack(client.last.ackToken, true)).toBe("acked");
  });

  it("frees the subscriber's credit at the time-out", async () => {
    const { node, client } = await setUp();
    for (let index = 1; index < 6; index += 1) await node.events.post(event(`e${index}`));
    await rig.until(() => client.received.length === 3);
    await rig.clock.pass(ACK_TIMEOUT_MS);
    await rig.until(() => client.received.length === 6);
  });

  it("keeps an event and its headers as they are through retries", async () => {
    const { node, client } = await setUp();
    const first = client.last;
    await node.events.ack(first.ackToken, false);
    await expectAfter(client, MINUTE_MS);
    expect(client.last).toEqual({ ...first, ackToken: client.last.ackToken, attempt: 2 });
  });

  it("takes a schedule of its own, also an empty one", async () => {
    const { node, client } = await setUp({ events: { retryScheduleMs: [2_000], ackTimeoutMs: 100 } });
    await expectAfter(client, 2_100);
    await rig.clock.pass(100);
    await rig.until(() => rig.held("events.dead").ready === 1);
    expect(node.events.counts).toMatchObject({ timedOut: 2, deadLettered: 1 });
    await rig.close();

    const none = await setUp({ events: { retryScheduleMs: [] } });
    await none.node.events.ack(none.client.last.ackToken, false);
    await rig.until(() => rig.held("events.dead").ready === 1);
  });

  it("repeats the last step for ever where nothing keeps dead letters", async () => {
    const memory = { capabilities: { queue: { deadLetter: false } } };
    const { node, client } = await setUp({ memory, events: { retryScheduleMs: [1_000, 2_000] } });
    for (const step of [1_000, 2_000, 2_000, 2_000]) {
      await node.events.ack(client.last.ackToken, false);
      await expectAfter(client, step);
    }
    expect(node.events.counts.deadLettered).toBe(0);
  });

  it("takes a step of the schedule when the event was lost with three subscribers in a row", async () => {
    rig = new EventRig();
    const node = rig.node();
    await node.events.post(event("poison"));
    for (const name of ["first", "second", "third"]) {
      const gone = new AbortController();
      const { client } = subscribe(node, name, gone.signal);
      await rig.until(() => client.received.length === 1);
      expect(client.last.attempt).toBe(1);
      gone.abort();
      await rig.until(() => node.events.counts.outstanding === 0);
    }
    // The first two times it went back to the queue, since there was nobody else: the count outlives that.
    expect(node.events.counts).toMatchObject({ lost: 3, released: 2 });
    const { client } = subscribe(node, "fourth");
    await expectAfter(client, MINUTE_MS);
    expect(client.last.attempt).toBe(2);
    const failed = node.observations.find(({ type }) => type === "event-attempt-failed");
    expect(failed).toMatchObject({ reason: "its subscriber went away, 3 times in a row", attempt: 1 });
  });

  it("counts no loss when subscribers say goodbye, however many of them", async () => {
    rig = new EventRig();
    const node = rig.node();
    await node.events.post(event("innocent"));
    for (let round = 0; round < 10; round += 1) {
      const { client } = subscribe(node, "polite");
      await rig.until(() => client.received.length === 1);
      expect(client.last.attempt).toBe(1);
      await node.events.closeClient("polite");
      await rig.until(() => node.events.counts.outstanding === 0);
    }
    expect(node.events.counts).toMatchObject({ lost: 0, released: 10 });
  });

  it("starts counting losses anew after an attempt that ended otherwise", async () => {
    rig = new EventRig({ events: { retryScheduleMs: [1_000, 1_000, 1_000] } });
    const node = rig.node();
    await node.events.post(event("e"));
    const lose = async (): Promise<void> => {
      const gone = new AbortController();
      const { client } = subscribe(node, "loser", gone.signal);
      await rig.until(() => client.received.length === 1);
      gone.abort();
      await rig.until(() => node.events.counts.outstanding === 0);
    };
    await lose();
    await lose();
    const { client, subscription } = subscribe(node, "nacker");
    await rig.until(() => client.received.length === 1);
    await node.events.ack(client.last.ackToken, false);
    await subscription.close();
    await rig.clock.pass(1_000);
    await lose();
    await lose();
    const { client: last } = subscribe(node, "last");
    await rig.until(() => last.received.length === 1);
    expect(last.last.attempt).toBe(2);
  });

  it("counts what a sink refuses as a failed attempt", async () => {
    rig = new EventRig();
    const node = rig.node();
    const { client } = subscribe(node, "picky");
    client.answer = async () => {
      throw new Error("not for me");
    };
    await node.events.post(event("e"));
    await rig.until(() => node.events.counts.refused === 1);
    client.answer = async () => true;
    await expectAfter(client, MINUTE_MS);
    expect(client.last.attempt).toBe(2);
    const failed = node.observations.find(({ type }) => type === "event-attempt-failed");
    expect(failed).toMatchObject({ reason: "refused: not for me", clientId: "picky" });
  });
});
