import type { Cancel, Clock } from "../ports/clock.js";

export interface ConcurrencyFollowerOptions {
  readonly clock: Clock;
  /** The credit that one subscriber begins with. */
  readonly base: number;
  /** How many events all subscribers may hold at once, as things stand. */
  demand(): number;
  apply(concurrency: number): void;
}

/** A change may mean a new consumer at the broker. */
const INTERVAL_MS = 1_000;
/** What brokers take for one consumer, and enough for any number of subscribers. */
const MAX_CONCURRENCY = 32_768;

/**
 * How many events may be here at once: what the subscribers can take, rounded up to steps that double, so that it changes
 * seldom. Never less, since a subscriber that holds all it may would then keep others from getting any.
 */
export class ConcurrencyFollower {
  readonly #options: ConcurrencyFollowerOptions;
  #concurrency = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #cancelLook: Cancel | undefined;
  #stopped = false;

  constructor(options: ConcurrencyFollowerOptions) {
    this.#options = options;
  }

  /** A credit has changed: looked at soon; at once while nothing is taken. */
  touch(): void {
    if (this.#stopped || this.#cancelLook !== undefined) return;
    const { clock } = this.#options;
    const waitMs = this.#concurrency === 0 ? 0 : Math.min(INTERVAL_MS, this.#lookedAt + INTERVAL_MS - clock.now());
    if (waitMs <= 0) this.#look();
    else this.#cancelLook = clock.setTimer(waitMs, () => this.#look());
  }

  /** There is a subscriber more: what it needs is taken at once. The steps double, so that a crowd makes a few changes. */
  joined(): void {
    if (this.#stopped) return;
    if (this.#target() > this.#concurrency) this.#look();
    else this.touch();
  }

  /** There is none left. */
  pause(): void {
    this.#cancel();
    this.#set(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #look(): void {
    this.#cancel();
    this.#lookedAt = this.#options.clock.now();
    this.#set(this.#target());
  }

  #target(): number {
    const { base, demand } = this.#options;
    const needed = demand();
    const step = needed <= base ? needed : base * 2 ** Math.ceil(Math.log2(needed / base));
    return Math.min(MAX_CONCURRENCY, step);
  }

  #set(concurrency: number): void {
    if (concurrency === this.#concurrency) return;
    this.#concurrency = concurrency;
    this.#options.apply(concurrency);
  }

  #cancel(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }
}
