/** Tells first sights from repeated ones, among the newest tokens. */
export class DistinctTokens {
  readonly #limit: number;
  readonly #seen = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True the first time. The empty token says nothing: each is a first time. */
  add(token: string): boolean {
    if (token === "") return true;
    if (this.#seen.has(token)) return false;
    this.#seen.add(token);
    if (this.#seen.size > this.#limit) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }
}
