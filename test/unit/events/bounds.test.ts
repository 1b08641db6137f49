import { describe, expect, it } from "vitest";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { systemRandom } from "../../../src/core/system-random.js";
import { parseAckToken, queueTag } from "../../../src/events/ack-token.js";
import { AckTokens } from "../../../src/events/ack-tokens.js";
import { BoundedMap } from "../../../src/events/bounded-map.js";
import { describeFailures, EventHistory } from "../../../src/events/event-history.js";
import { ExpiringMap } from "../../../src/events/expiring-map.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const MARK = "0123456789abcdef".repeat(2);

describe("what the event service remembers", () => {
  it("is forgotten beyond the limit, what was set longest ago first", () => {
    const map = new BoundedMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    map.set("c", 4);
    expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([3, undefined, 4, 2]);
    map.delete("a");
    expect(map.size).toBe(1);
  });

  it("costs the same however much has been forgotten", () => {
    const bounded = new BoundedMap<number, number>(20_000);
    const expiring = new ExpiringMap<number, number>({ clock: new VirtualClock(), limit: 20_000, memoryMs: 1 });
    const watch = new Stopwatch();
    for (let key = 0; key < 500_000; key += 1) {
      bounded.set(key, key);
      expiring.set(key, key);
      if (key % 3 === 0) bounded.delete(key - 5);
      if (key % 3 === 0) expiring.delete(key - 5);
      if (key % 7 === 0) bounded.set(key - 20, 0);
      if (key % 7 === 0) expiring.set(key - 20, 0);
    }
    expect(watch.undisturbedMs).toBeLessThan(20_000);
    expect(bounded.size).toBeLessThanOrEqual(20_000);
    expect(expiring.size).toBeLessThanOrEqual(20_000);
    expect([bounded.get(499_999), expiring.get(499_999), bounded.get(0), expiring.get(0)]).toEqual([
      499_999,
      499_999,
      undefined,
      undefined,
    ]);
  });

  it("holds the losses of 10,000 events", () => {
    const history = new EventHistory();
    expect(history.lost("first")).toBe(1);
    for (let index = 0; index < 10_000; index += 1) history.lost(`other-${index}`);
    expect(history.lost("first")).toBe(1);
    expect(history.lost("other-9999")).toBe(2);
  });

  it("tells of attempts that it did not see", () => {
    const failures = [{ attempt: 3, at: 0, reason: "nack" }];
    expect(describeFailures(failures)).toBe(
      "given up after 3 failed attempts (2 longer ago, on another server or before a restart); attempt 3 at 1970-01-01T00:00:00.000Z: nack",
    );
  });

  it("tells a late token from nonsense for 10,000 tokens", () => {
    const tokens = new AckTokens<object>("node.with.dots", "events", systemRandom);
    const first = tokens.issue({}, MARK, "m");
    tokens.retire(first, "late");
    expect(tokens.judge(first)).toBe("late");
    for (let index = 0; index < 10_000; index += 1) tokens.retire(tokens.issue({}, MARK, "m"), "repeated");
    expect(tokens.judge(first)).toBe("unknown");
    expect(tokens.size).toBe(0);
  });

  it("tells a token of another service from its own and from nonsense, whatever is in the names", () => {
    for (const nodeId of ["node", "node.with.dots", "n".repeat(150), "ünïcödé.1.2."]) {
      for (const messageId of ["m", "m.with.dots", "x".repeat(256), "é".repeat(128)]) {
        const own = new AckTokens<object>(nodeId, "events", systemRandom);
        const later = new AckTokens<object>(nodeId, "events", systemRandom);
        const token = own.issue({}, MARK, messageId);
        expect(Buffer.byteLength(token)).toBeLessThanOrEqual(512);
        expect(parseAckToken(token)).toMatchObject({ nodeId, mark: MARK, messageId });
        expect([own.isOurs(token), later.isOurs(token), later.judge(token)]).toEqual([true, false, "elsewhere"]);
        expect(new AckTokens<object>(nodeId, "others", systemRandom).judge(token)).toBe("unknown");
      }
    }
    const tokens = new AckTokens<object>("node", "events", systemRandom);
    const tag = queueTag("events");
    const nonsense = ["", ".", "a.b.c.1", "a.b.c.1.", "a.b.c.9.node.m", "a.b.c.4.nodem", "x".repeat(100_000)].concat(
      ["-1.n..m", "9.node..m", "4.node.m", "4.node.mark.m", "4.nodem..m", "n..m"].map((rest) => `a.b.${tag}.${rest}`),
    );
    expect(nonsense.map((token) => tokens.judge(token))).toEqual(nonsense.map(() => "unknown"));
  });

  it("leaves a messageId out of the token that is too long for it, or has no UTF-8", () => {
    const tokens = new AckTokens<object>("n".repeat(150), "events", systemRandom);
    for (const messageId of ["x".repeat(257), "é".repeat(200), "\udc00"]) {
      expect(parseAckToken(tokens.issue({}, MARK, messageId))?.messageId).toBe("");
    }
  });

  it("expires, or is forgotten beyond the limit", async () => {
    const clock = new VirtualClock();
    const map = new ExpiringMap<string, number>({ clock, limit: 2, memoryMs: 100 });
    map.set("a", 1);
    await clock.pass(50);
    map.set("b", 2);
    map.set("c", 3);
    expect([map.get("a"), map.get("b"), map.get("c"), map.size]).toEqual([undefined, 2, 3, 2]);
    await clock.pass(99);
    expect([map.get("b"), map.get("c")]).toEqual([2, 3]);
    await clock.pass(1);
    expect([map.get("b"), map.get("c")]).toEqual([undefined, undefined]);
    map.set("d", 5);
    expect(map.size).toBe(1);
  });

  it("keeps its bound and the newest, whatever the clock does", () => {
    const steps: readonly ((read: number) => number)[] = [
      () => 10,
      () => 0,
      () => -10_000,
      (read) => (read % 3 === 0 ? -7 : 4),
      (read) => (read % 100 === 0 ? 100_000 : -900),
    ];
    for (const step of steps) {
      let [now, read] = [0, 0];
      const clock = {
        now() {
          read += 1;
          now += step(read);
          return now;
        },
        setTimer: () => () => {},
      };
      for (const memoryMs of [1, 5, 1_000]) {
        const map = new ExpiringMap<string, number>({ clock, limit: 10, memoryMs });
        for (let index = 0; index < 300; index += 1) {
          map.set(`key-${index % 40}`, index);
          if (index % 7 === 0) map.delete(`key-${index % 40}`);
          if (index % 13 === 0) map.set(`key-${index % 40}`, index);
          expect(map.size).toBeLessThanOrEqual(10);
        }
        map.set("newest", 1);
        expect(map.size).toBeGreaterThan(0);
      }
    }
  });

  it("keeps what was just set when the clock jumps while it is set", () => {
    let now = 0;
    let step = 0;
    const clock = { now: () => (now += step), setTimer: () => () => {} };
    const map = new ExpiringMap<string, number>({ clock, limit: 10, memoryMs: 5 });
    map.set("a", 1);
    step = 10;
    map.set("b", 1);
    step = 0;
    expect(map.get("b")).toBe(1);
    for (let index = 0; index < 1_000; index += 1) map.set(`key-${index}`, 1);
    expect(map.size).toBe(10);
  });
});
