import { describe, expect, it } from "vitest";
import { benchPart } from "../../support/bench-part.js";

interface Point {
  readonly size: number;
  readonly value: number;
}
interface Line {
  readonly subject: string;
  readonly slope: number | undefined;
  readonly isMet: boolean;
}
interface Growth {
  readonly lines: readonly Line[];
  readonly failures: readonly string[];
}
interface Finding {
  readonly ratio: number;
  readonly change: number;
  readonly isMet: boolean;
}
interface Noise {
  readonly median: number;
  readonly above: number;
}
type Outcome = Readonly<Record<string, number>> | Error;
type Outcomes = ReadonlyMap<string, readonly Outcome[]>;

const { slopeOf } = await benchPart<{ slopeOf(points: readonly Point[], floor: number): number | undefined }>(
  "growth/slope.mjs",
);
const { judgeGrowth } = await benchPart<{ judgeGrowth(curve: object, outcomes: Outcomes): Growth }>(
  "growth/judge-growth.mjs",
);
const { growthTable } = await benchPart<{ growthTable(growth: Growth): string }>("growth/growth-table.mjs");
const { plotOf } = await benchPart<{ plotOf(growth: Growth): string }>("growth/plot.mjs");
const { findingOf, leastRatioOf, noiseOf, recordOf } = await benchPart<{
  leastRatioOf(measure: string, ours: readonly Outcome[], raw: readonly Outcome[]): readonly number[];
  findingOf(name: string, tries: readonly (readonly number[])[], recorded: number): Finding;
  noiseOf(runs: readonly (readonly number[])[]): Noise | undefined;
  recordOf(runs: readonly (readonly number[])[]): number;
}>("guard/judge-guard.mjs");
const { reportOf } = await benchPart<{
  reportOf(measured: object, prose: ReadonlyMap<string, string>, plots: string): string;
}>("report/report.mjs");
const { readProse } = await benchPart<{ readProse(text: string): ReadonlyMap<string, string> }>("report/prose.mjs");

const SIZES = [10, 100, 1_000, 10_000];
const CURVE = {
  name: "calls",
  title: "calls <open>",
  unit: "calls",
  sizes: SIZES,
  subjects: ["memory"],
  measures: [{ key: "cpuMicros", says: "CPU of a call, µs", exponent: 0, floor: 1 }],
};

describe("how steeply something grows", () => {
  it("is the exponent of the power that fits", () => {
    for (const exponent of [0, 0.5, 1, 2]) {
      expect(
        slopeOf(
          grown((size) => 3 * size ** exponent),
          1e-9,
        ),
      ).toBeCloseTo(exponent, 6);
    }
  });

  it("is looked for where there is much of it: what an operation costs anyhow hides nothing", () => {
    expect(
      slopeOf(
        grown((size) => 1_000 + (size / 100) ** 2),
        1,
      ),
    ).toBeGreaterThan(0.4);
    expect(
      slopeOf(
        grown((size) => (size < 100 ? 1_000 : 10)),
        1,
      ),
    ).toBeCloseTo(0, 6);
  });

  it("counts what is too little to be measured as the floor", () => {
    const values = [-0.1, 0.02, 0.3, 0];
    const points = SIZES.map((size, index) => ({ size, value: values[index] ?? 0 }));
    expect(slopeOf(points, 0.5)).toBeCloseTo(0, 6);
  });

  it("is not known of one point", () => {
    expect(slopeOf([{ size: 10_000, value: 1 }], 1)).toBeUndefined();
    expect(slopeOf([], 1)).toBeUndefined();
  });

  it("is worse than allowed when each operation costs more the more there are", () => {
    const outcomes: Outcomes = new Map([
      ["memory", SIZES.map((size) => ({ cpuMicros: 20 + size / 10_000 }))],
      ["rabbitmq", SIZES.map((size) => ({ cpuMicros: 20 + size / 20 }))],
    ]);
    expect(judgeGrowth(CURVE, outcomes).lines.map(({ isMet }) => isMet)).toEqual([true, false]);
  });

  it("is not met when a point could not be measured", () => {
    const values = SIZES.map(() => ({ cpuMicros: 20 }));
    const growth = judgeGrowth(CURVE, new Map([["memory", [...values.slice(1), new Error("memory: exit code 1")]]]));
    expect(growth.lines[0]).toMatchObject({ isMet: false, slope: undefined });
    expect(growth.failures).toEqual(["memory: exit code 1"]);
  });

  it("is shown and not judged where nothing is said of how it may grow", () => {
    const shown = { ...CURVE, measures: [{ key: "cpuMicros", says: "CPU, µs", floor: 1 }] };
    const growth = judgeGrowth(shown, new Map([["memory", SIZES.map((size) => ({ cpuMicros: size ** 2 }))]]));
    expect(growth.lines[0]).toMatchObject({ isMet: true, most: undefined });
    expect(growthTable(growth)).toMatch(/ 2\.00 +– +shown$/m);
  });

  it("is drawn with a mark for each point, and with text that is text", () => {
    const outcomes: Outcomes = new Map([["memory", SIZES.map((size) => ({ cpuMicros: size === 10 ? -1 : size }))]]);
    const svg = plotOf(judgeGrowth(CURVE, outcomes));
    expect(svg.match(/<circle /g)).toHaveLength(SIZES.length + 1);
    expect(svg).toContain("calls &lt;open&gt;");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });
});

describe("the guard", () => {
  it("fails what is more than a quarter worse than recorded", () => {
    expect(findingOf("memory", [[4, 5, 9, 5, 4]], 4)).toMatchObject({ ratio: 5, change: 0.25, isMet: true });
    expect(findingOf("memory", [[4, 5.1, 9, 5.1, 4]], 4).isMet).toBe(false);
    expect(findingOf("memory", [[1, 1, 1]], 4).isMet).toBe(true);
  });

  it("takes the better of two tries", () => {
    expect(
      findingOf(
        "memory",
        [
          [9, 9, 9],
          [4, 4, 9],
        ],
        4,
      ),
    ).toMatchObject({ ratio: 4, isMet: true });
    expect(findingOf("memory", [[9, 9], []], 4).isMet).toBe(false);
  });

  it("takes no ratio from the rounds that are left when a cell failed", () => {
    const good = { cpuMicros: 10 };
    expect(leastRatioOf("cpuMicros", [good, { cpuMicros: 15 }], [{ cpuMicros: 5 }, good])).toEqual([2]);
    expect(leastRatioOf("cpuMicros", [good, new Error("memory: exit code 1")], [good, good])).toEqual([]);
    expect(leastRatioOf("cpuMicros", [good, good], [new Error("ring: exit code 1"), good])).toEqual([]);
    expect(leastRatioOf("cpuMicros", [good, {}], [good, good])).toEqual([]);
  });

  it("fails what could not be measured", () => {
    expect(findingOf("memory", [[], []], 4).isMet).toBe(false);
  });

  it("records the middle of all that was measured, and says how steady that is", () => {
    expect(recordOf([[1, 2], [3, 4], [50]])).toBe(3);
    const noise = noiseOf([[9, 10, 11], [10], [11, 12, 13]]);
    expect(noise?.median).toBe(10);
    expect(noise?.above).toBeCloseTo(0.2, 6);
    expect(noiseOf([[], []])).toBeUndefined();
  });
});

describe("the report", () => {
  it("keeps what people wrote, also of what is no longer measured", () => {
    const growth = [judgeGrowth(CURVE, new Map([["memory", SIZES.map(() => ({ cpuMicros: 20 }))]]))];
    const machine = { cpu: "cpu", cores: 2, gigabytes: 24, kernel: "6", node: "v20" };
    const measured = { date: "2026-01-01", machine, versions: { amqplib: "2.3.1" }, results: [], growth };
    const prose = new Map([
      ["calls", "Flat: a table, not a list.\n"],
      ["gone", "Once measured.\n"],
    ]);
    const report = reportOf(measured, prose, "performance");
    expect(readProse(report).get("calls")).toBe("Flat: a table, not a list.\n");
    expect(readProse(report).get("gone")).toBe("Once measured.\n");
    expect(reportOf(measured, readProse(report), "performance")).toBe(report);
    expect(report).toContain("](performance/calls.svg)");
  });
});

function grown(value: (size: number) => number): Point[] {
  return SIZES.map((size) => ({ size, value: value(size) }));
}
