import type { Cancel, Clock } from "../ports/clock.js";
import { BoundedMap } from "./bounded-map.js";
import type { Subscriber } from "./subscriber.js";

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Lets it begin, in place of the client's older one. */
  admit(subscriber: Subscriber): void;
}

/** Beyond this the clients that were quiet longest are forgotten, and need not wait. */
const MAX_CLIENTS = 100_000;

/**
 * Lets at most one subscriber of each client begin within the interval. The newest of those that wait is let in when its
 * time comes; those before it are ended, each no sooner than one interval after it came: what ends at once, some clients
 * repeat at once.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #admittedAt = new BoundedMap<string, number>(MAX_CLIENTS);
  /** By client: the one that is let in next. */
  readonly #next = new Map<string, Subscriber>();
  /** All that wait: to be let in, or to be ended. */
  readonly #timers = new Map<Subscriber, Cancel>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#timers.size;
  }

  request(subscriber: Subscriber): void {
    const { clock, intervalMs } = this.#options;
    const { clientId } = subscriber;
    const now = clock.now();
    const before = this.#next.get(clientId);
    const admittedAt = this.#admittedAt.get(clientId) ?? Number.NEGATIVE_INFINITY;
    const waitMs = Math.min(intervalMs, admittedAt + intervalMs - now);
    if (before === undefined && waitMs <= 0) {
      this.#admit(subscriber);
      return;
    }
    if (before !== undefined) this.#supersede(before, now);
    this.#next.set(clientId, subscriber);
    this.#timers.set(
      subscriber,
      clock.setTimer(Math.max(0, waitMs), () => this.#admit(subscriber)),
    );
  }

  /** It has ended, or is ending. */
  forget(subscriber: Subscriber): void {
    this.#timers.get(subscriber)?.();
    this.#timers.delete(subscriber);
    if (this.#next.get(subscriber.clientId) === subscriber) this.#next.delete(subscriber.clientId);
  }

  #admit(subscriber: Subscriber): void {
    this.forget(subscriber);
    this.#admittedAt.set(subscriber.clientId, this.#options.clock.now());
    this.#options.admit(subscriber);
  }

  #supersede(subscriber: Subscriber, now: number): void {
    const { clock, intervalMs } = this.#options;
    this.#timers.get(subscriber)?.();
    const waitMs = Math.min(intervalMs, Math.max(0, subscriber.cameAt + intervalMs - now));
    this.#timers.set(
      subscriber,
      clock.setTimer(waitMs, () => void subscriber.leave("replaced")),
    );
  }
}
