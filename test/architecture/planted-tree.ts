import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

/** The names of all rules that the project is checked by. */
export async function ruleNames(): Promise<string[]> {
  const { ruleSet } = await extractDepcruiseOptions(join(root, ".dependency-cruiser.cjs"));
  const rules = [...(ruleSet?.forbidden ?? []), ...(ruleSet?.allowed ?? []), ...(ruleSet?.required ?? [])];
  return rules.map((rule) => ("name" in rule ? (rule.name ?? "") : ""));
}

/** Writes the files into a tree of their own, checks it by the project's rules, and removes it with the test. */
export async function violationsIn(files: Readonly<Record<string, string>>): Promise<Violation[]> {
  const baseDir = await mkdtemp(join(tmpdir(), "fairlead-rules-"));
  onTestFinished(() => rm(baseDir, { recursive: true, force: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(baseDir, dirname(path)), { recursive: true });
    await writeFile(join(baseDir, path), text);
  }
  const { tsConfig: _, ...options } = await extractDepcruiseOptions(join(root, ".dependency-cruiser.cjs"));
  const { output } = await cruise(
    ["src", "adapters", "tools", "test"],
    { ...options, baseDir, validate: true },
    undefined,
    {
      tsConfig: extractTSConfig(join(root, "tsconfig.json")),
    },
  );
  if (typeof output === "string") throw new Error(`dependency-cruiser answered with text: ${output}`);
  return output.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }));
}
