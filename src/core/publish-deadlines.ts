import type { Clock } from "../ports/clock.js";
import { Chain } from "../util/chain.js";
import type { PendingPublish, PublishSpan } from "./pending-publish.js";

/** A timer that is later than this by the clock was not late: the clock was set forward. */
const MAX_LATE_MS = 1_000;

/**
 * Knows all publishes, and tells of those whose time is over. One timer for all that may take equally long, set for the oldest:
 * nearly every publish is confirmed long before, and should not pay for a timer of its own.
 */
export class PublishDeadlines {
  readonly #clock: Clock;
  readonly #onTimeout: (publish: PendingPublish) => void;
  /** By the time that they may take. */
  readonly #spans = new Map<number, PublishSpan>();
  /** The one that was added to last: nearly always the next one goes there, too. */
  #latest: PublishSpan | undefined;
  #size = 0;

  constructor(clock: Clock, onTimeout: (publish: PendingPublish) => void) {
    this.#clock = clock;
    this.#onTimeout = onTimeout;
  }

  get size(): number {
    return this.#size;
  }

  add(publish: PendingPublish): void {
    const span = this.#spanOf(publish.bounds.timeoutMs);
    span.publishes.add(publish);
    publish.span = span;
    this.#size += 1;
  }

  remove(publish: PendingPublish): void {
    const { span } = publish;
    if (span === undefined) return;
    publish.span = undefined;
    span.publishes.remove(publish);
    this.#size -= 1;
    if (span.publishes.size > 0) return;
    // Nothing is left to wait for, so that a process may end.
    span.timer?.();
    this.#spans.delete(span.timeoutMs);
    this.#latest = undefined;
  }

  all(): PendingPublish[] {
    return [...this.#spans.values()].flatMap(({ publishes }) => publishes.all());
  }

  #spanOf(timeoutMs: number): PublishSpan {
    if (this.#latest?.timeoutMs === timeoutMs) return this.#latest;
    let span = this.#spans.get(timeoutMs);
    if (span === undefined) {
      span = { timeoutMs, publishes: new Chain(), timer: undefined };
      this.#spans.set(timeoutMs, span);
      this.#setTimer(span, timeoutMs);
    }
    this.#latest = span;
    return span;
  }

  #setTimer(span: PublishSpan, ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    const dueAt = this.#clock.now() + ms;
    span.timer = this.#clock.setTimer(ms, () => this.#look(span, dueAt));
  }

  #look(span: PublishSpan, dueAt: number): void {
    span.timer = undefined;
    const now = this.#clock.now();
    if (now - dueAt > MAX_LATE_MS) setForward(span, now - dueAt, now);
    for (let { first } = span.publishes; first !== undefined; { first } = span.publishes) {
      if (first.startedAt > now) setBack(span, now);
      const leftMs = first.startedAt + span.timeoutMs - now;
      if (leftMs > 0) {
        this.#setTimer(span, leftMs);
        return;
      }
      this.remove(first);
      this.#onTimeout(first);
    }
  }
}

/** By a clock that was set back some have not begun yet, and would have longer than they were given: their time begins anew. */
function setBack({ publishes }: PublishSpan, now: number): void {
  for (const publish of publishes.all()) publish.startedAt = Math.min(publish.startedAt, now);
}

/** By a clock that was set forward their time seems over: what was lost of it is given back. */
function setForward({ publishes }: PublishSpan, byMs: number, now: number): void {
  for (const publish of publishes.all()) publish.startedAt = Math.min(publish.startedAt + byMs, now);
}
