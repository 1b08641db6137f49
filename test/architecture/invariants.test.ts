import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contractCases } from "../../src/contract/index.js";
import { INVARIANTS_FILE, invariantsText } from "../../tools/invariants.js";

describe("docs/INVARIANTS.md", () => {
  it("says what the contract's cases say; if not: npm run invariants", () => {
    const file = new URL(`../../${INVARIANTS_FILE}`, import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(invariantsText());
  });
});

describe("the contract's cases", () => {
  it("have each an id of its own", () => {
    const ids = contractCases.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    for (const id of ids) expect(id).toMatch(/^[QRBCDE]-\d\d+$/);
  });

  it("have each a sentence of its own, without a full stop", () => {
    const sentences = contractCases.map(({ sentence }) => sentence);
    expect(sentences.filter((sentence, index) => sentences.indexOf(sentence) !== index)).toEqual([]);
    for (const sentence of sentences) expect(sentence).toMatch(/[^.]$/);
  });

  it("are grouped by the letter of their id, and cover each boolean capability for true and for false", () => {
    for (const capability of [
      "persistent",
      "deadLetter",
      "delayedDelivery",
      "expiry",
      "priority",
      "deduplication",
    ] as const) {
      for (const value of [true, false]) {
        const covered = contractCases.some(({ where }) => where?.[`queue.${capability}`] === value);
        expect(covered, `${capability}: ${value}`).toBe(true);
      }
    }
    for (const value of [true, false]) {
      expect(contractCases.some(({ where }) => where?.["broadcast.loopback"] === value)).toBe(true);
    }
  });
});
