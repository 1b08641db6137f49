import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { benchPart } from "../support/bench-part.js";

interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}
interface Row {
  readonly subject: string;
  readonly runs: number;
  readonly failed: number;
  readonly measures: Readonly<Record<string, Spread>>;
  readonly ratios: Readonly<Record<string, Spread>>;
}
interface Verdict {
  readonly id: string;
  readonly value: number | undefined;
  readonly bound: number;
  readonly isMet: boolean;
}
interface Result {
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
  readonly failures: readonly string[];
}
interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Outcome = Readonly<Record<string, number>> | Error;

const { judge } = await benchPart<{
  judge(comparison: object, outcomes: ReadonlyMap<string, readonly Outcome[]>): Result;
}>("report/judge.mjs");
const { compare } = await benchPart<{
  compare(comparison: object, circumstances: object): Promise<ReadonlyMap<string, readonly Outcome[]>>;
}>("cells/compare.mjs");
const { tableOf } = await benchPart<{ tableOf(result: Result): string }>("report/table.mjs");
const { median, percentile } = await benchPart<{
  median(values: readonly number[]): number;
  percentile(values: readonly number[], share: number): number;
}>("report/figures.mjs");
const { runCell } = await benchPart<{
  runCell(cell: object, options: { limitMs: number }): Promise<Readonly<Record<string, number>>>;
}>("cells/run-cell.mjs");

const COMPARISON = {
  name: "publish",
  title: "publish: so much",
  subjects: ["amqplib", "fairlead"],
  targets: [
    { id: "P1", measure: "perSecond", says: "messages per second", beside: "raw", least: 1.1 },
    { id: "P1", measure: "cpuMicros", says: "CPU per message", beside: "raw", most: 1 },
  ],
};

describe("what the bench makes of its measurements", () => {
  it("takes the middle of an odd number of values, and the mean of the two middle ones of an even number", () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(median([9, 1, 5, 2])).toBe(3.5);
    expect(
      percentile(
        Array.from({ length: 200 }, (_, index) => 200 - index),
        0.99,
      ),
    ).toBe(199);
  });

  it("compares what ran in the same round, so that a slow minute of the machine costs nobody", () => {
    const outcomes = new Map([
      ["amqplib", [perSecond(100, 10), perSecond(20, 10), perSecond(100, 10)]],
      ["fairlead", [perSecond(120, 9), perSecond(24, 9), perSecond(30, 12)]],
    ]);
    const { rows, verdicts } = judge(COMPARISON, outcomes);
    expect(rows[1]?.ratios.perSecond).toEqual({ median: 1.2, least: 0.3, most: 1.2 });
    expect(rows[1]?.measures.perSecond).toEqual({ median: 30, least: 24, most: 120 });
    expect(verdicts.map(({ value, isMet }) => ({ value, isMet }))).toEqual([
      { value: 1.2, isMet: true },
      { value: 0.9, isMet: true },
    ]);
  });

  it("says by how much a target was missed", () => {
    const outcomes = new Map<string, Outcome[]>([
      ["amqplib", [perSecond(100, 10), perSecond(100, 10)]],
      ["fairlead", [perSecond(100, 20), perSecond(100, 20)]],
      ["nest", [new Error("nest: exit code 1"), perSecond(50, 20)]],
    ]);
    const result = judge(COMPARISON, outcomes);
    expect(result.rows.map(({ runs, failed }) => ({ runs, failed }))).toEqual([
      { runs: 2, failed: 0 },
      { runs: 2, failed: 0 },
      { runs: 1, failed: 1 },
    ]);
    expect(result.failures).toEqual(["nest: exit code 1"]);
    expect(tableOf(result)).toContain("P1 not met: messages per second, to raw 1.00 (at least 1.10; 0.10 short)");
    expect(tableOf(result)).toContain("P1 not met: CPU per message, to raw 2.00 (at most 1.00; 1.00 too much)");
  });

  it("judges nothing by the rounds that are left when others failed", () => {
    const [slow, quick] = [perSecond(100, 10), perSecond(500, 1)];
    const ours = new Map<string, Outcome[]>([
      ["amqplib", [slow, slow, slow]],
      ["fairlead", [quick, new Error("fairlead: exit code 1"), quick]],
    ]);
    const raw = new Map<string, Outcome[]>([
      ["amqplib", [slow, new Error("amqplib: exit code 1"), slow]],
      ["fairlead", [quick, quick, quick]],
    ]);
    const unmeasured = new Map<string, Outcome[]>([
      ["amqplib", [slow, slow, slow]],
      ["fairlead", [quick, perSecond(Number.NaN, Number.NaN), perSecond(Number.NaN, Number.NaN)]],
    ]);
    for (const outcomes of [ours, raw, unmeasured]) {
      const { verdicts } = judge(COMPARISON, outcomes);
      expect(verdicts.map(({ value, isMet }) => ({ value, isMet }))).toEqual([
        { value: undefined, isMet: false },
        { value: undefined, isMet: false },
      ]);
    }
  });

  it("lowers a floor where the raw subject is slower than the floor was meant for, and judges a peak by its worst round", () => {
    const targets = [
      { id: "P7", measure: "perSecond", says: "events per second", least: 25_000, atRaw: 80_000 },
      { id: "P4", measure: "cpuMicros", says: "growth", most: 40, isPeak: true },
    ];
    const judged = (raw: number) =>
      judge(
        { ...COMPARISON, targets },
        new Map([
          ["amqplib", [perSecond(raw, 1), perSecond(raw, 1)]],
          ["fairlead", [perSecond(20_000, 10), perSecond(20_000, 50)]],
        ]),
      ).verdicts;
    expect(judged(160_000).map(({ bound, value, isMet }) => ({ bound, value, isMet }))).toEqual([
      { bound: 25_000, value: 20_000, isMet: false },
      { bound: 40, value: 50, isMet: false },
    ]);
    expect(judged(40_000)[0]).toMatchObject({ bound: 12_500, value: 20_000, isMet: true });
  });

  it("meets no target that was not measured", () => {
    const outcomes = new Map<string, Outcome[]>([
      ["amqplib", [new Error("amqplib: exit code 1")]],
      ["fairlead", [perSecond(100, 1)]],
    ]);
    expect(judge(COMPARISON, outcomes).verdicts.every(({ isMet, value }) => !isMet && value === undefined)).toBe(true);
  });
});

describe("a cell of the bench", () => {
  it("measures one subject in a process of its own", async () => {
    const settings = { operations: 2_000, directory: "/nowhere" };
    const outcome = await runCell({ work: "memory", subject: "fairlead", settings }, { limitMs: 20_000 });
    expect(outcome.operations).toBe(2_000);
    expect(outcome.perSecond).toBeGreaterThan(0);
    expect(outcome.cpuMicros).toBeGreaterThan(0);
  });

  it("says what it printed when it failed", async () => {
    const cell = { work: "memory", subject: "nobody", settings: {} };
    await expect(runCell(cell, { limitMs: 20_000 })).rejects.toThrow(/memory nobody: exit code 1[\s\S]*memory-nobody/);
  });

  it("is ended when it takes too long", async () => {
    const settings = { operations: 1e9, directory: "/nowhere" };
    const cell = { work: "memory", subject: "fairlead", settings };
    await expect(runCell(cell, { limitMs: 800 })).rejects.toThrow("memory fairlead: not done after 0.8 s");
  });

  it("is left out when two of its subject were not done in time", async () => {
    const comparison = {
      work: "memory",
      subjects: ["ring"],
      ours: "ring",
      settings: { operations: 1e9 },
      limitMs: 500,
    };
    const outcomes = await compare(comparison, { rounds: 4, directory: "/nowhere", onOutcome: () => undefined });
    const said = (outcomes.get("ring") ?? []).map(String);
    expect(said).toHaveLength(4);
    expect(said.slice(0, 2)).toEqual(Array(2).fill(expect.stringContaining("not done after 0.5 s")));
    expect(said.slice(2)).toEqual(Array(2).fill(expect.stringContaining("left out")));
  });
});

describe("the packages of the bench", () => {
  it("are pinned, and those that Fairlead uses itself are the same", () => {
    const bench = packageOf("bench/package.json");
    const product = packageOf("package.json");
    const own: Readonly<Record<string, string>> = { ...product.dependencies, ...product.optionalDependencies };
    for (const [name, version] of Object.entries(bench.dependencies)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(version, name).toBe(own[name] ?? version);
    }
    expect(textOf("bench/package-lock.json")).not.toMatch(/https?:.*\.tgz/);
  });
});

function textOf(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
}

function packageOf(file: string): Package {
  return JSON.parse(textOf(file)) as Package;
}

function perSecond(perSecond: number, cpuMicros: number): Readonly<Record<string, number>> {
  return { perSecond, cpuMicros };
}
