import { spawn } from "node:child_process";
import type { PlantedBug } from "./bugs/planted-bug.js";
import { CompiledCopies } from "./compiled-copy.js";
import { plantedBugs } from "./planted-bugs.js";

/** What a run of the simulation on a copy with a bug in it found. */
export interface Catch {
  readonly bug: PlantedBug;
  /** Undefined: nothing was found. */
  readonly seed: number | undefined;
  readonly invariants: readonly string[];
  readonly output: string;
}

const AT_ONCE = 2;
/** A child that takes this long hangs. */
const TIMEOUT_MS = 300_000;

/** Plants each bug in a copy of its own and runs it there. */
export async function huntBugs(
  root: string,
  programArguments: (bug: PlantedBug) => readonly string[],
  onCatch: (found: Catch) => void = () => {},
  bugs: readonly PlantedBug[] = plantedBugs,
): Promise<Catch[]> {
  const copies = await CompiledCopies.prepare(root);
  const caught: Catch[] = [];
  const waiting = [...bugs];
  const work = async (): Promise<void> => {
    for (let bug = waiting.shift(); bug !== undefined; bug = waiting.shift()) {
      const copy = await copies.write(bug.patches);
      try {
        const found = readCatch(bug, await run(copy.main, programArguments(bug)));
        caught.push(found);
        onCatch(found);
      } finally {
        await copy.remove();
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return caught;
}

function readCatch(bug: PlantedBug, output: string): Catch {
  const seed = /^npm run simulate -- --seed (\d+)$/m.exec(output)?.[1];
  const invariants = [...output.matchAll(/^ {2}(S-\d+) /gm)].map(([, id = ""]) => id);
  return { bug, seed: seed === undefined ? undefined : Number(seed), invariants: [...new Set(invariants)], output };
}

function run(main: string, programArguments: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...programArguments], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}
