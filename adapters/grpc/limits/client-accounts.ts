import { type Rate, TokenBucket } from "./token-bucket.js";

export interface ClientLimits {
  /** Undefined, here and below: as many as come. */
  readonly maxCalls: number | undefined;
  readonly maxSubscribers: number | undefined;
  readonly calls: Rate | undefined;
  readonly posts: Rate | undefined;
}

/** Of clients that have nothing open and are remembered for their rates alone. */
const MAX_RESTING = 10_000;

/** What one client has open, and may still do. */
export class ClientAccount {
  readonly key: string;
  readonly callRate: TokenBucket | undefined;
  readonly postRate: TokenBucket | undefined;
  calls = 0;
  subscribers = 0;

  constructor(key: string, { calls, posts }: ClientLimits, now: number) {
    this.key = key;
    this.callRate = calls && new TokenBucket(calls, now);
    this.postRate = posts && new TokenBucket(posts, now);
  }

  /** Nothing would be lost if it was forgotten. */
  isFresh(now: number): boolean {
    return (this.callRate?.isFull(now) ?? true) && (this.postRate?.isFull(now) ?? true);
  }
}

/**
 * The accounts of all clients that have something open, and of some that had: those whose rate is not whole again yet.
 * However many come and go, at most 10,000 of these are remembered.
 */
export class ClientAccounts {
  readonly #limits: ClientLimits;
  readonly #open = new Map<string, ClientAccount>();
  readonly #resting = new Map<string, ClientAccount>();

  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /** Entries in all; for tests and figures. */
  get size(): number {
    return this.#open.size + this.#resting.size;
  }

  /** The account of this client. One without calls is kept by `rest`. */
  of(key: string, now: number): ClientAccount {
    return this.#open.get(key) ?? this.#resting.get(key) ?? new ClientAccount(key, this.#limits, now);
  }

  /** It has a call more. */
  begin(account: ClientAccount): void {
    account.calls += 1;
    if (account.calls > 1) return;
    this.#resting.delete(account.key);
    this.#open.set(account.key, account);
  }

  /** It has a call less. */
  end(account: ClientAccount, now: number): void {
    account.calls -= 1;
    if (account.calls === 0) this.rest(account, now);
  }

  /** It has nothing open. */
  rest(account: ClientAccount, now: number): void {
    this.#open.delete(account.key);
    this.#resting.delete(account.key);
    if (account.isFresh(now)) return;
    this.#resting.set(account.key, account);
    // The longest at rest come first.
    for (const [key, other] of this.#resting) {
      if (this.#resting.size <= MAX_RESTING && !other.isFresh(now)) return;
      this.#resting.delete(key);
    }
  }
}
