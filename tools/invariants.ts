import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type CapabilityCondition, type ContractCase, contractFamilies } from "../src/contract/index.js";

/** Where the promises are kept for people, from the root of the package. */
export const INVARIANTS_FILE = "docs/INVARIANTS.md";

const HEADING = `# Invariants

What Fairlead promises, on every broker. Each line is one case of the contract suite (\`fairlead/contract\`), which proves
it on each adapter. A line that ends with capabilities holds where an adapter has these values of them; whichever
value it has, a line applies. Ids never change.

This file is generated from the cases: \`npm run invariants\`.
`;

/** The whole file, made from the ids and sentences of the cases. */
export function invariantsText(): string {
  const families = contractFamilies.map(({ letter, title, cases }) => {
    const lines = [...cases]
      .sort(byNumber)
      .map(({ id, sentence, where }) => `- **${id}** ${sentence}${condition(where)}`);
    return `\n## ${letter}: ${title}\n\n${lines.join("\n")}\n`;
  });
  return `${HEADING}${families.join("")}`;
}

function condition(where: CapabilityCondition | undefined): string {
  const parts = Object.entries(where ?? {}).map(([name, wanted]) => `\`${name}\`: ${[wanted].flat().join(" or ")}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
}

function byNumber(one: ContractCase, other: ContractCase): number {
  return numberOf(one) - numberOf(other);
}

function numberOf({ id }: ContractCase): number {
  return Number(id.slice(id.indexOf("-") + 1));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = invariantsText();
  if (text !== readOrEmpty(INVARIANTS_FILE)) writeFileSync(INVARIANTS_FILE, text);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
