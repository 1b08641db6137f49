import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import ts from "typescript";

/** Text that stands exactly once in a source file, and what to put in its place. */
export interface SourcePatch {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** All that the simulation runs on. */
const SOURCES = [
  "src/core",
  "src/driver",
  "src/errors",
  "src/ports",
  "src/util",
  "src/container/tokens.ts",
  "adapters/memory",
  "tools/program",
  "test/simulation",
];

/** Copies live under the project, so that they find its packages. */
const COPIES = ".cache/simulation-copies";

/** Throws for a patch that has gone stale: its text is not in the file, or is there more than once. */
export function patched(source: string, { file, find, replace }: SourcePatch): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`${file}: this must stand there exactly once, not ${parts.length - 1} times:\n${find}`);
  return parts.join(replace);
}

/** The sources of the simulation and of what it runs, ready to be changed, compiled and run beside the real ones. */
export class CompiledCopies {
  readonly #root: string;
  readonly #compiled: ReadonlyMap<string, string>;

  constructor(root: string, compiled: ReadonlyMap<string, string>) {
    this.#root = root;
    this.#compiled = compiled;
  }

  static async prepare(root: string): Promise<CompiledCopies> {
    const compiled = new Map<string, string>();
    for (const part of SOURCES) {
      for (const file of await sourcesIn(root, part)) {
        compiled.set(file, compile(await readFile(join(root, file), "utf8"), file));
      }
    }
    return new CompiledCopies(root, compiled);
  }

  /** A folder with everything compiled, and these changes in it. */
  async write(patches: readonly SourcePatch[]): Promise<{ readonly main: string; remove(): Promise<void> }> {
    const changed = new Map(this.#compiled);
    for (const [file, ofFile] of groupByFile(patches)) {
      const source = await readFile(join(this.#root, file), "utf8");
      changed.set(file, compile(ofFile.reduce(patched, source), file));
    }
    const parent = join(this.#root, COPIES);
    await mkdir(parent, { recursive: true });
    const folder = await mkdtemp(join(parent, "copy-"));
    for (const [file, text] of changed) {
      const target = join(folder, file.replace(/\.ts$/, ".js"));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
    return {
      main: join(folder, "test/simulation/main.js"),
      remove: () => rm(folder, { recursive: true, force: true }),
    };
  }
}

function compile(source: string, fileName: string): string {
  const { outputText } = ts.transpileModule(source, {
    fileName,
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  return outputText;
}

async function sourcesIn(root: string, part: string): Promise<string[]> {
  if (part.endsWith(".ts")) return [part];
  const names = await readdir(join(root, part), { recursive: true });
  return names.filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts")).map((name) => join(part, name));
}

function groupByFile(patches: readonly SourcePatch[]): Map<string, SourcePatch[]> {
  const groups = new Map<string, SourcePatch[]>();
  for (const patch of patches) groups.set(patch.file, [...(groups.get(patch.file) ?? []), patch]);
  return groups;
}
