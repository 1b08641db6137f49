import { fileURLToPath } from "node:url";
import { type ChildProgram, startProgram } from "../../process/child-program.js";
import type { SubscriberTask } from "../programs/subscriber.js";

const PROGRAM = fileURLToPath(new URL("../programs/subscriber.js", import.meta.url));
const READY_MS = 30_000;

export interface SubscriberProcessOptions extends SubscriberTask {
  readonly guardDirectory: string;
  /** It is about to handle it. */
  onGot(token: string): void;
}

/** One subscriber after another, each a process of its own, under one client id. */
export class SubscriberProcess {
  readonly #options: SubscriberProcessOptions;
  #program: ChildProgram | undefined;
  /** How often it ended by itself. */
  deaths = 0;
  /** How many events came to it. */
  taken = 0;

  constructor(options: SubscriberProcessOptions) {
    this.#options = options;
  }

  /** Undefined while none runs. */
  get pid(): number | undefined {
    return this.#program?.pid;
  }

  get isRunning(): boolean {
    return this.#program !== undefined;
  }

  launch(): void {
    const { guardDirectory, onGot, ...task } = this.#options;
    const onLine = (line: string): void => {
      if (!line.startsWith("got ")) return;
      this.taken += 1;
      onGot(line.slice("got ".length));
    };
    const program = startProgram(PROGRAM, [JSON.stringify(task)], { guardDirectory, onLine });
    this.#program = program;
    void program.ended.then(() => {
      if (this.#program !== program) return;
      this.#program = undefined;
      this.deaths += 1;
    });
  }

  async ready(): Promise<void> {
    await this.#program?.line(/^subscribed$/, READY_MS);
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    await program?.kill();
  }
}
