import { readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { BadInput } from "../../program/run-program.js";

const BEGIN = "<!-- npm run faults writes from here … -->";
const END = "<!-- … to here -->";
const GIB = 1024 ** 3;

/** What each id of the table means. */
const MEANINGS: Readonly<Record<string, string>> = {
  K1: "The broker is killed (SIGKILL) and restarted, or its file fails.",
  K2: "The broker is frozen (SIGSTOP), for a while or for good.",
  K3: "Links are cut, stalled, slowed or half-open, in each direction and at each step of the protocol.",
  K4: "The broker closes a channel, cancels a consumer, deletes a queue.",
  K5: "The broker raises an alarm and takes no publishes.",
  K6: "Our own processes are killed (SIGKILL): posters, subscribers, servers, clients.",
  K7: "Servers are told to end (SIGTERM) under load, once and twice.",
  K8: "The leader of a quorum queue is killed, in a cluster of three.",
  K9: "A handler throws always, or kills its process.",
  K10: "Frames, headers and calls of nonsense.",
  K11: "The disk is full or read-only; the file is damaged, or locked by another program.",
  K12: "Readers are slow, dead, or leave.",
};

/** What is told of a run besides its table. */
export interface RunFacts {
  readonly rounds: number;
  /** So many were over when a signal stopped the run; undefined: all of them. */
  readonly stoppedAfter: number | undefined;
  readonly seed: number;
  readonly isShort: boolean;
  readonly startedAt: Date;
  readonly seconds: number;
  readonly machine: string;
  /** Name and version of each program and package that took part. */
  readonly versions: readonly string[];
  readonly ids: readonly string[];
  readonly table: string;
}

/** The part of the document between its markers. */
export function describeRun(facts: RunFacts): string {
  const { rounds, stoppedAfter, seed, isShort, startedAt, seconds, machine, versions, ids, table } = facts;
  const form = isShort ? " in the short form" : "";
  const each = rounds === 1 ? "One round of each" : `${rounds} rounds of each`;
  const what = stoppedAfter === undefined ? each : `${each}, stopped after ${stoppedAfter} in all`;
  return [
    `${what}${form}, ${startedAt.toISOString().slice(0, 16).replace("T", " ")} UTC, in ${Math.round(seconds / 6) / 10} minutes, \`--seed ${seed}\`.`,
    `${machine}. ${versions.join(", ")}.`,
    "",
    ...ids.map((id) => `- **${id}** ${MEANINGS[id] ?? ""}`),
    "",
    table,
  ].join("\n");
}

export function describeMachine(): string {
  const all = cpus();
  return `${all.length} cores (${all[0]?.model ?? "unknown"}), ${Math.round(totalmem() / GIB)} GiB, ${type()} ${release()}`;
}

/** A file that stands between its markers, or nowhere yet. */
export class FaultDocument {
  readonly #file: string;
  readonly #before: string;
  readonly #after: string;

  /** Refuses a file that has no place for it: to be asked before the run, not after it. */
  constructor(file: string) {
    this.#file = file;
    const text = readIfThere(file);
    if (text === undefined) {
      [this.#before, this.#after] = ["# Faults\n\n", "\n"];
      return;
    }
    const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
    if (begin < 0 || end < begin) {
      throw new BadInput(`--table ${file}: put a line ${BEGIN} and a line ${END} where the table belongs`);
    }
    [this.#before, this.#after] = [text.slice(0, begin), text.slice(end + END.length)];
  }

  /** Everything outside the markers stays. */
  write(part: string): void {
    writeFileSync(this.#file, `${this.#before}${BEGIN}\n\n${part}\n\n${END}${this.#after}`);
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new BadInput(`--table ${file}: ${String(error)}`);
  }
}
