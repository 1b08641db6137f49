import { describe, expect, it } from "vitest";
import { failureDetails, failureLine, failureSummary } from "../../../tools/test/failure-text.js";
import type { Failure } from "../../../tools/test/failures.js";
import { idRanges } from "../../../tools/test/id-ranges.js";

const failure = (more: Partial<Failure> = {}): Failure => ({
  where: "a broker",
  id: "Q-01",
  name: "what is published comes",
  text: "it did not come",
  place: "src/contract/queue.ts:12",
  errors: [],
  ...more,
});

describe("what a run says of its failures", () => {
  it("is one short line for each", () => {
    expect(failureLine(failure())).toBe(
      "Q-01 what is published comes [a broker]: it did not come (src/contract/queue.ts:12)",
    );
    expect(failureLine(failure({ name: "", place: undefined, text: "x".repeat(9_000) })).length).toBeLessThan(300);
  });

  it("has some of the rest of the error, and of its difference", () => {
    const message = ["first", "", ...Array.from({ length: 50 }, (_, index) => `line ${index} ${"x".repeat(500)}`)];
    const details = failureDetails(failure({ errors: [{ message: message.join("\n"), diff: "- one" }] }));
    expect(details.length).toBeLessThan(20);
    expect(details[0]).toMatch(/^line 0 x+…$/);
    expect(failureDetails(failure({ errors: [{ message: "first", diff: "\u001b[32m- one\u001b[39m" }] }))).toEqual([
      "- one",
    ]);
    expect(failureDetails(failure())).toEqual([]);
  });

  it("is at the end no longer than what is kept of a run, and names all of them", () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      failure({ id: `Q-${index}`, where: index < 30 ? "one" : "other", text: "it did not come ".repeat(20) }),
    );
    const lines = failureSummary(many);
    expect(lines.slice(0, 3)).toEqual([
      "FAILED, 60 in all",
      `  one: ${many
        .slice(0, 30)
        .map(({ id }) => id)
        .join(", ")}`,
      `  other: ${many
        .slice(30)
        .map(({ id }) => id)
        .join(", ")}`,
    ]);
    expect(lines.at(-1)).toMatch(/^ {2}what \d+ more say stands above$/);
    expect(lines.join("\n").length).toBeLessThan(2_100);
    expect(failureSummary([])).toEqual([]);
  });
});

describe("ids in ranges", () => {
  it("are folded where three or more follow each other, family by family", () => {
    expect(idRanges(["R-40", "R-41", "R-43", "R-42", "R-45", "R-46", "C-07", "Q-98", "Q-99", "Q-100"])).toEqual([
      "R-40–43",
      "R-45",
      "R-46",
      "C-07",
      "Q-98–100",
    ]);
    expect(idRanges([])).toEqual([]);
    expect(idRanges(["odd"])).toEqual(["odd"]);
  });
});
