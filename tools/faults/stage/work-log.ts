export interface ServerKill {
  readonly server: number;
  readonly at: number;
  /** `lostMs()` then. */
  readonly lostMs: number;
}

/** What servers print of the calls that they run. */
export class WorkLog {
  /** By the number of the call: the server that runs it. */
  readonly #running = new Map<number, number>();
  readonly #kills = new Map<number, ServerKill>();
  readonly #allKills: ServerKill[] = [];
  readonly #taken = new Map<number, number>();

  read(server: number, line: string): void {
    const [, word, text] = /^(took|over) (\d+)/.exec(line) ?? [];
    if (word === undefined) return;
    const number = Number(text);
    if (word === "over") {
      if (this.#running.get(number) === server) this.#running.delete(number);
      return;
    }
    this.#running.set(number, server);
    this.#taken.set(number, (this.#taken.get(number) ?? 0) + 1);
  }

  /** To be called when all that it printed has been read. */
  killed(kill: ServerKill): void {
    const { server } = kill;
    this.#allKills.push(kill);
    for (const [number, runs] of [...this.#running]) {
      if (runs !== server) continue;
      this.#running.delete(number);
      this.#kills.set(number, kill);
    }
  }

  isRunning(number: number): boolean {
    return this.#running.has(number);
  }

  /** The last kill of a server that ran this call. */
  killOf(number: number): ServerKill | undefined {
    return this.#kills.get(number);
  }

  lastKillBefore(at: number): ServerKill | undefined {
    return this.#allKills.filter((kill) => kill.at <= at).at(-1);
  }

  /** Calls that ran more than once. */
  get movedOn(): number {
    return [...this.#taken.values()].filter((times) => times > 1).length;
  }

  /** Calls that may run once ran again. Odd numbers are such. */
  get violations(): readonly string[] {
    const twice = [...this.#taken].filter(([number, times]) => number % 2 === 1 && times > 1);
    return twice.length === 0
      ? []
      : [
          `ran more than once, though not idempotent: ${twice
            .map(([number]) => number)
            .slice(0, 10)
            .join(", ")}`,
        ];
  }
}
