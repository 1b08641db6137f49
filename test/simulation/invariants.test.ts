import { describe, expect, it } from "vitest";
import { BAD } from "./bad-runs.js";
import { invariants, violationsIn } from "./invariants.js";
import type { Fact } from "./journal.js";
import { alive, arrived, CALL, ENDED, failed, GONE, GOOD, LIVE, PLAN, REQUESTED, RUN, resumed } from "./made-facts.js";
import { UNTIMELY } from "./untimely-runs.js";

function brokenIds(facts: readonly Fact[]): string[] {
  return [
    ...new Set(violationsIn(facts.map((fact, index) => ({ atMs: index, fact }))).map(({ invariant }) => invariant)),
  ];
}

describe("the invariants", () => {
  it("find nothing in a run in which everything is as it should be", () => {
    expect(brokenIds(GOOD)).toEqual([]);
  });

  it.each(BAD)("%s sees that %s", (id, _what, facts) => {
    expect(brokenIds(facts)).toContain(id);
  });

  it.each(UNTIMELY)("%s sees that %s", (id, _what, facts) => {
    expect(violationsIn(facts.map(([atMs, fact]) => ({ atMs, fact }))).map(({ invariant }) => invariant)).toContain(id);
  });

  it("have a hand-made violation each", () => {
    const ids = [...BAD, ...UNTIMELY].map(([id]) => id);
    expect([...new Set(ids)].sort()).toEqual(invariants.map(({ id }) => id).sort());
  });

  it("excuse a call that hung on something broken, and expect nothing of the dead", () => {
    const harmed: Fact = { type: "harm", call: 0, harm: { kind: "lose-connection" } };
    expect(brokenIds([CALL, harmed, { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" }])).toEqual([]);
    expect(brokenIds([CALL, { type: "died", process: "client" }])).toEqual([]);
  });

  it("do not excuse a call that was answered, when its inbox or a link was lost: it goes on", () => {
    const failure: Fact = { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" };
    for (const server of [undefined, "server"]) {
      const harmed: Fact = { type: "harm", call: 0, harm: { kind: "lose-connection", server } };
      expect(brokenIds([CALL, arrived(1), harmed, failure])).toEqual(["S-02"]);
      expect(brokenIds([CALL, harmed, failure])).toEqual([]);
    }
  });

  it("excuse it when it was cut off for longer than its server waits, or its Resume was heard by nobody", () => {
    const harmed: Fact = { type: "harm", call: 0, harm: { kind: "lose-inbox" } };
    const SILENT = "it has fallen silent";
    const broken = (untilMs: number, text: string, ...facts: readonly (readonly [number, Fact])[]): string[] => {
      const start: readonly (readonly [number, Fact])[] = [
        [0, CALL],
        [1, REQUESTED],
        [40, alive(0)],
        [50, RUN],
        [60, arrived(1)],
        [100, harmed],
        [100, GONE],
      ];
      const end: readonly (readonly [number, Fact])[] = [
        [untilMs, failed("UNAVAILABLE", text)],
        [untilMs, { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" }],
      ];
      const entries = [...start, ...facts, ...end].map(([atMs, fact]) => ({ atMs, fact }));
      return [...new Set(violationsIn(entries).map(({ invariant }) => invariant))];
    };
    const repeated = Array.from({ length: 12 }, (_, times): readonly [number, Fact] => [
      200 + 500 * times,
      resumed(1, 1, "another"),
    ]);
    expect(broken(10_200, "it was stopped")).toEqual([]);
    expect(broken(2_000, SILENT)).toEqual(["S-02", "S-12"]);
    expect(broken(6_200, SILENT, [200, LIVE], ...repeated)).toEqual([]);
    expect(broken(5_900, SILENT, [200, LIVE], ...repeated)).toEqual(["S-02", "S-12"]);
  });

  it("excuse by what broke: an idempotent call whose server was killed moves on, as long as nobody has answered", () => {
    const call: Fact = { ...CALL, plan: { ...PLAN, idempotent: true } } as Fact;
    const harmed: Fact = { type: "harm", call: 0, harm: { kind: "kill", server: "server" } };
    const failure: Fact = { ...ENDED, outcome: "UNAVAILABLE", told: "UNAVAILABLE" };
    expect(brokenIds([call, harmed, failure])).toEqual(["S-02"]);
    expect(brokenIds([call, arrived(1), harmed, failure])).toEqual([]);
    expect(brokenIds([CALL, harmed, failure])).toEqual([]);
    expect(brokenIds([CALL, harmed, { ...failure, outcome: "DATA_LOSS", told: "DATA_LOSS" }])).toEqual(["S-02"]);
  });
});
