import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import type { Random } from "../../../src/ports/clock.js";
import { EventRig, event, HOUR_MS, MINUTE_MS, type Node, type RigOptions, subscribe, type TestClient } from "./rig.js";

const SCHEDULE_MS = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 24 * HOUR_MS, 48 * HOUR_MS];
const ACK_TIMEOUT_MS = 5_000;

/** Fractions that are far apart from one to the next. */
function spreadRandom(): Random {
  let drawn = 0;
  return {
    fraction: () => {
      drawn += 1;
      return (drawn * 0.618_034) % 1;
    },
    uuid: () => randomUUID(),
  };
}

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
    // From 3 to 1: it has shown that it cannot handle so many.
    await rig.until(() => client.received.length === 4);
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
    rig = new EventRig({ random: { fraction: () => 0, uuid: () => randomUUID() } });
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

  it("parts at the steps what was lost together, so that only the event that fells its subscribers is given up", async () => {
    const events = { retryScheduleMs: [1_000, 1_000], lossesPerStep: 2, subscribeIntervalMs: 0 };
    rig = new EventRig({ events, random: spreadRandom() });
    const node = rig.node();
    for (const body of ["well-1", "deadly", "well-2"]) await node.events.post(event(body));
    const handleMs = 20;
    let subscribers = 0;
    const subscribeAnew = (): void => {
      subscribers += 1;
      const gone = new AbortController();
      const { client } = subscribe(node, `subscriber-${subscribers}`, gone.signal);
      client.answer = async ({ body, ackToken }) => {
        // The work on each takes a while, and the deadly one fells the process that works on the others, too.
        rig.clock.setTimer(handleMs, () => {
          if (gone.signal.aborted) return;
          if (Buffer.from(body).toString() === "deadly") {
            gone.abort();
            rig.clock.setTimer(handleMs, subscribeAnew);
          } else {
            rig.clock.setTimer(1, () => void (gone.signal.aborted || node.events.ack(ackToken, true)));
          }
        });
        return true;
      };
    };
    subscribeAnew();
    await rig.clock.pass(10_000);
    expect(node.events.counts).toMatchObject({ acked: 2, deadLettered: 1, outstanding: 0 });
    expect(rig.held()).toMatchObject({ ready: 0, unsettled: 0, delayed: 0 });
  });

  it("counts no loss when subscribers say goodbye, however many of them", async () => {
    rig = new EventRig({ events: { subscribeIntervalMs: 0 } });
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
    rig = new EventRig({ events: { retryScheduleMs: [1_000, 1_000, 1_000], subscribeIntervalMs: 0 } });
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
