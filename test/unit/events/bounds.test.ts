import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/core/system-random.js";
import { AckTokens } from "../../../src/events/ack-tokens.js";
import { BoundedMap } from "../../../src/events/bounded-map.js";
import { describeFailures, EventHistory } from "../../../src/events/event-history.js";

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
    const tokens = new AckTokens<object>("node.with.dots", systemRandom);
    const first = tokens.issue({});
    tokens.retire(first, "late");
    expect(tokens.find(first)).toBe("late");
    for (let index = 0; index < 10_000; index += 1) tokens.retire(tokens.issue({}), "repeated");
    expect(tokens.find(first)).toBe("unknown");
    expect(tokens.find("node.with.x")).toBe("elsewhere");
    expect(tokens.size).toBe(0);
  });
});
