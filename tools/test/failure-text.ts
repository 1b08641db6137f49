import { stripVTControlCharacters } from "node:util";
import type { Failure } from "./failures.js";

/** Whoever keeps a part of the output keeps this. */
const MOST_CHARACTERS = 2_000;
const MOST_TEXT = 240;
const MOST_NAME = 90;
const MOST_DETAILS = 14;
const MOST_DETAIL = 160;

/** One line. */
export function failureLine({ where, id, name, text, place }: Failure): string {
  const what = name === "" ? id : `${id} ${cut(name, MOST_NAME)}`;
  return `${what} [${where}]: ${cut(stripVTControlCharacters(text), MOST_TEXT)}${place === undefined ? "" : ` (${place})`}`;
}

/** Some of what its first error says beyond its first line. */
export function failureDetails({ errors: [error] }: Failure): readonly string[] {
  const { message = "", diff = "" } = (error ?? {}) as { message?: string; diff?: string };
  return [...message.split("\n").slice(1), ...diff.split("\n")]
    .map((line) => cut(stripVTControlCharacters(line).trimEnd(), MOST_DETAIL))
    .filter((line) => line !== "")
    .slice(0, MOST_DETAILS);
}

/** The ids of all, each under its file or contract run, then a line for each, as far as there is room for them. */
export function failureSummary(failures: readonly Failure[]): readonly string[] {
  if (failures.length === 0) return [];
  const groups = new Map<string, string[]>();
  for (const { where, id } of failures) groups.set(where, [...(groups.get(where) ?? []), id]);
  const lines = [`FAILED, ${failures.length} in all`];
  for (const [where, ids] of groups) lines.push(`  ${where}: ${ids.join(", ")}`);
  let left = MOST_CHARACTERS - lines.join("\n").length;
  for (const [index, failure] of failures.entries()) {
    const line = `  ${failureLine(failure)}`;
    left -= line.length + 1;
    if (left < 0) return [...lines, `  what ${failures.length - index} more say stands above`];
    lines.push(line);
  }
  return lines;
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
