import { describe, expect, it } from "vitest";
import type { FaultAdapter, FaultScenario } from "../../tools/faults/round/scenario.js";
import { tracksOf } from "../../tools/faults/runner/tracks.js";

const scenario = (title: string, more: Partial<FaultScenario> = {}): FaultScenario => ({
  id: "K0",
  title,
  adapters: ["memory", "sqlite", "rabbitmq"],
  limitMs: 1,
  run: async () => Promise.reject(new Error("not run")),
  ...more,
});
const HARMS = scenario("harms the node");
const GENTLE = scenario("gentle", { sharesNode: true });
const MORE = scenario("gentle, too", { sharesNode: true });
const OWN = scenario("own broker", { hasOwnBroker: true, adapters: ["rabbitmq"] });
const TURNS = [HARMS, GENTLE, MORE, OWN].flatMap((each) =>
  each.adapters.map((adapter): { scenario: FaultScenario; adapter: FaultAdapter } => ({ scenario: each, adapter })),
);

const names = (isShort: boolean): string[][][] =>
  tracksOf(TURNS, isShort).map((track) =>
    track.map((group) => group.map((turn) => `${turn.scenario.title} on ${turn.adapter}`)),
  );

describe("the tracks of a run", () => {
  it("hold each round once", () => {
    for (const isShort of [true, false]) {
      expect(names(isShort).flat(2).sort()).toEqual(
        TURNS.map((turn) => `${turn.scenario.title} on ${turn.adapter}`).sort(),
      );
    }
  });

  it("of a long run have the shared node in one, a round at a time, and all else in the other", () => {
    const [onNode = [], others = [], ...more] = names(false);
    expect(more).toEqual([]);
    expect(onNode.map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(onNode.flat().every((name) => name.endsWith("on rabbitmq"))).toBe(true);
    expect(others.flat()).toContain("own broker on rabbitmq");
  });

  it("of a short run have those at once that harm only what is theirs, after those that harm the node", () => {
    const [onNode, sqlite, rest] = names(true);
    expect(onNode).toEqual([["harms the node on rabbitmq"], ["gentle on rabbitmq", "gentle, too on rabbitmq"]]);
    expect(sqlite?.flat().every((name) => name.endsWith("on sqlite"))).toBe(true);
    expect(rest?.flat()).toContain("own broker on rabbitmq");
  });
});
