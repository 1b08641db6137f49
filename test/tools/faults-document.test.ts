import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeRun, FaultDocument } from "../../tools/faults/runner/fault-document.js";

function newFile(text?: string): string {
  const folder = mkdtempSync(join(tmpdir(), "fairlead-document-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "FAULTS.md");
  if (text !== undefined) writeFileSync(file, text);
  return file;
}

const BEGIN = "<!-- npm run faults writes from here … -->";
const END = "<!-- … to here -->";

describe("the document of a run", () => {
  it("keeps what stands around its markers, run after run", () => {
    const file = newFile(`# Before\n\n${BEGIN}\nold\n${END}\n\nAfter.\n`);
    new FaultDocument(file).write("first");
    new FaultDocument(file).write("second");
    expect(readFileSync(file, "utf8")).toBe(`# Before\n\n${BEGIN}\n\nsecond\n\n${END}\n\nAfter.\n`);
  });

  it("is made where there is none, with markers for the next run", () => {
    const file = newFile();
    new FaultDocument(file).write("first");
    new FaultDocument(file).write("second");
    expect(readFileSync(file, "utf8")).toContain(`${BEGIN}\n\nsecond\n\n${END}`);
  });

  it("refuses a file without a place for it before anything runs, and leaves it alone", () => {
    const file = newFile("# Something else\n");
    expect(() => new FaultDocument(file)).toThrow(/put a line .* where the table belongs/);
    expect(readFileSync(file, "utf8")).toBe("# Something else\n");
    expect(existsSync(file)).toBe(true);
  });

  it("tells the machine, the versions, the date, the seed, the rounds and what each id means", () => {
    const facts = {
      rounds: 3,
      stoppedAfter: undefined,
      seed: 7,
      isShort: false,
      startedAt: new Date("2026-01-02T03:04:05Z"),
      seconds: 600,
      machine: "2 cores",
      versions: ["RabbitMQ 3.10.8"],
      ids: ["K1", "K8"],
      table: "| K |",
    };
    const text = describeRun(facts);
    expect(text).not.toContain("stopped");
    expect(describeRun({ ...facts, stoppedAfter: 71 })).toContain("3 rounds of each, stopped after 71 in all");
    for (const part of [
      "3 rounds",
      "--seed 7",
      "2026-01-02 03:04",
      "10 minutes",
      "2 cores",
      "RabbitMQ 3.10.8",
      "| K |",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/\*\*K1\*\* The broker is killed/);
    expect(text).toMatch(/\*\*K8\*\* The leader/);
  });
});
