import { fileURLToPath } from "node:url";
import { type ChildProgram, startProgram } from "../../process/child-program.js";
import type { PosterTask } from "../programs/poster.js";

const PROGRAM = fileURLToPath(new URL("../programs/poster.js", import.meta.url));
/** A post that the broker does not confirm is given up then. */
const FINISH_MS = 45_000;

export interface PosterProcessOptions extends PosterTask {
  readonly guardDirectory: string;
  onBegun(token: string): void;
  /** The server said that it has it. */
  onPosted(token: string): void;
  onFailed(token: string, code: string): void;
}

/** One poster after another, each a process of its own. */
export class PosterProcess {
  readonly #options: PosterProcessOptions;
  readonly #underWay = new Set<string>();
  #program: ChildProgram | undefined;
  #generation = 0;

  constructor(options: PosterProcessOptions) {
    this.#options = options;
  }

  /** Undefined while none runs. */
  get pid(): number | undefined {
    return this.#program?.pid;
  }

  launch(): void {
    const { servers, perSecond, bytes, guardDirectory } = this.#options;
    this.#generation += 1;
    const prefix = `${this.#options.prefix}${this.#generation}-`;
    const task: PosterTask = { servers, prefix, perSecond, bytes };
    const onLine = (line: string): void => this.#onLine(line, prefix);
    this.#program = startProgram(PROGRAM, [JSON.stringify(task)], { guardDirectory, onLine });
  }

  /** SIGKILL. Nobody will be told what became of the posts that were under way. */
  async kill(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    await program?.kill();
    for (const token of this.#underWay) this.#options.onFailed(token, "a killed poster");
    this.#underWay.clear();
  }

  /** Posts no more, and resolves when all is told. */
  async finish(): Promise<void> {
    await this.#program?.end(FINISH_MS);
    await this.kill();
  }

  #onLine(line: string, prefix: string): void {
    const [, word, number, code = ""] = /^(begun|ok|failed) (\d+)(?: (.*))?$/.exec(line) ?? [];
    if (word === undefined) return;
    const token = `${prefix}${number}`;
    if (word === "begun") this.#underWay.add(token);
    else this.#underWay.delete(token);
    if (word === "begun") this.#options.onBegun(token);
    else if (word === "ok") this.#options.onPosted(token);
    else this.#options.onFailed(token, code);
  }
}
