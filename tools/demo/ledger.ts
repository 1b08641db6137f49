export interface Totals {
  readonly posted: number;
  readonly received: number;
  readonly distinct: number;
  readonly duplicates: number;
  /** Posted, and never received. */
  readonly lost: number;
  /** Of an earlier demo on this broker. */
  readonly foreign: number;
}

/** Which events were posted and which came back, told apart by the token given at post. */
export class Ledger {
  readonly #prefix: string;
  readonly #posted = new Set<string>();
  readonly #seen = new Set<string>();
  #received = 0;
  #foreign = 0;
  #changedAt = Date.now();

  constructor(run: string) {
    this.#prefix = `${run}-`;
  }

  tokenOf(index: number): string {
    return `${this.#prefix}${index}`;
  }

  /** The server said OK. */
  addPosted(token: string): void {
    this.#posted.add(token);
    this.#changedAt = Date.now();
  }

  /** True for an event of this demo. */
  addReceived(token: string): boolean {
    if (!token.startsWith(this.#prefix)) {
      this.#foreign += 1;
      return false;
    }
    this.#received += 1;
    if (!this.#seen.has(token)) this.#changedAt = Date.now();
    this.#seen.add(token);
    return true;
  }

  /** How long nothing new was posted or received. */
  get idleMs(): number {
    return Date.now() - this.#changedAt;
  }

  get totals(): Totals {
    let lost = 0;
    for (const token of this.#posted) if (!this.#seen.has(token)) lost += 1;
    return {
      posted: this.#posted.size,
      received: this.#received,
      distinct: this.#seen.size,
      duplicates: this.#received - this.#seen.size,
      lost,
      foreign: this.#foreign,
    };
  }
}
