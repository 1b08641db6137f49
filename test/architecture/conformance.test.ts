import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contractCases } from "../../src/contract/index.js";
import { conformanceEntries } from "./conformance-entries.js";

const root = new URL("../../", import.meta.url);
const TESTS_OF_THE_SOURCE = 122;
const NOT_TAKEN_OVER = "Not taken over: ";

/** By section, then by entry: what the file says of it. */
function readEntries(): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  for (const line of readFileSync(new URL("docs/CONFORMANCE.md", root), "utf8").split("\n")) {
    if (line.startsWith("## ")) {
      section = new Map();
      sections.set(line.slice(3), section);
    }
    const [, entry, answer] = /^\| (.+?) \| (.+) \|$/.exec(line) ?? [];
    if (entry === undefined || answer === undefined || entry === "test" || entry === "subject") continue;
    section.set(entry.replaceAll("`", ""), answer);
  }
  return sections;
}

describe("docs/CONFORMANCE.md", () => {
  const sections = readEntries();
  const answers = [...sections.values()].flatMap((section) => [...section]);

  it("has an entry for each test and subject, and no other", () => {
    expect([...sections.keys()]).toEqual(Object.keys(conformanceEntries));
    for (const [title, entries] of Object.entries(conformanceEntries)) {
      expect([...(sections.get(title)?.keys() ?? [])], title).toEqual(entries);
      const count = /\((\d+)/.exec(title)?.[1];
      if (count !== undefined) expect(entries.length, title).toBe(Number(count));
    }
    const named = Object.entries(conformanceEntries).filter(([title]) => title.includes("Test ("));
    expect(named.flatMap(([, entries]) => entries).length).toBe(TESTS_OF_THE_SOURCE);
  });

  it("answers each with an id, a test or a reason", () => {
    for (const [entry, answer] of answers) {
      const isReason = answer.startsWith(NOT_TAKEN_OVER) && answer.length > NOT_TAKEN_OVER.length + 20;
      const isAnswer = /\b[A-Z]-\d+\b|\.test\.ts`/.test(answer) && !answer.startsWith(NOT_TAKEN_OVER);
      expect(isReason || isAnswer, `${entry}: ${answer}`).toBe(true);
    }
  });

  it("names only cases and tests that exist", () => {
    const ids = new Set(contractCases.map(({ id }) => id));
    for (const [entry, answer] of answers) {
      for (const [id] of answer.matchAll(/\b[A-Z]-\d+\b/g)) expect(ids.has(id), `${entry}: ${id}`).toBe(true);
      for (const [, file = ""] of answer.matchAll(/`(test\/[^`]+)`/g)) {
        expect(existsSync(new URL(file, root)), `${entry}: ${file}`).toBe(true);
      }
    }
  });
});
