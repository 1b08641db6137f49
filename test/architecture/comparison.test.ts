import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contractCases } from "../../src/contract/index.js";

const root = new URL("../../", import.meta.url);
/** How many of each the file has to go through: RW and RF of the RequestSink, SW and SF of the queue. */
const COUNTS = { RW: 19, RF: 37, SW: 39, SF: 46 };

interface Row {
  readonly name: string;
  readonly shownBy: string;
  readonly text: string;
}

function readRows(): readonly Row[] {
  const lines = readFileSync(new URL("docs/COMPARISON.md", root), "utf8").split("\n");
  const cells = lines.filter((line) => line.startsWith("| ")).map((line) => line.slice(2, -2).split(" | "));
  return cells
    .filter((row) => row.at(-1) !== "shown by")
    .map((row) => ({ name: row[0] ?? "", shownBy: row.at(-1) ?? "", text: row.slice(1, -1).join(" ") }));
}

describe("docs/COMPARISON.md", () => {
  const rows = readRows();

  it("has each weakness and each feature once, in order", () => {
    const wanted = Object.entries(COUNTS).flatMap(([letters, count]) =>
      Array.from({ length: count }, (_, index) => `${letters}${index + 1}`),
    );
    const names = rows.map(({ name }) => name).filter((name) => /^[RS][WF]\d/.test(name));
    expect(names).toEqual(wanted);
  });

  it("shows each by a case or a test, or says why it is not needed", () => {
    for (const { name, shownBy, text } of rows) {
      const isShown = /\b[A-Z]-\d+\b|`test\/[^`]+`/.test(shownBy);
      expect(isShown || (shownBy === "–" && text.includes("Not needed: ")), `${name}: ${shownBy}`).toBe(true);
    }
  });

  it("names only cases and tests that exist", () => {
    const ids = new Set(contractCases.map(({ id }) => id));
    for (const { name, shownBy } of rows) {
      for (const [id] of shownBy.matchAll(/\b[A-Z]-\d+\b/g)) expect(ids.has(id), `${name}: ${id}`).toBe(true);
      for (const [, file = ""] of shownBy.matchAll(/`(test\/[^`]+)`/g)) {
        expect(existsSync(new URL(file, root)), `${name}: ${file}`).toBe(true);
      }
    }
  });
});
