import { type ErrorCode, MessagingError } from "../../../src/index.js";

const MOST_TEXTS = 5;

/** What was told to callers that failed: how often which code, and whatever a caller should not have been told. */
export class ErrorCounts {
  readonly #allowed: ReadonlySet<string>;
  readonly #counts = new Map<string, number>();
  readonly #violations: string[] = [];
  #more = 0;

  constructor(allowed: readonly ErrorCode[]) {
    this.#allowed = new Set(allowed);
  }

  add(what: string, error: unknown): void {
    const code = MessagingError.is(error) ? error.code : "no MessagingError";
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    if (this.#allowed.has(code)) return;
    if (this.#violations.length >= MOST_TEXTS) this.#more += 1;
    else this.#violations.push(`${what}: ${code}: ${error instanceof Error ? error.message : String(error)}`);
  }

  get violations(): readonly string[] {
    return this.#more === 0 ? this.#violations : [...this.#violations, `${this.#more} more such errors`];
  }

  /** "3 UNAVAILABLE"; nothing where nobody failed. */
  get notes(): readonly string[] {
    return [...this.#counts].map(([code, count]) => `${count} ${code}`);
  }
}
