import { MessagingError } from "../../errors/messaging-error.js";
import type { RequestContext } from "../../ports/request-sink.js";
import type { CallerListener } from "./call-signal.js";
import { Alarm, type SharedTimers } from "./shared-timers.js";

/** A context ends itself at its deadline; this is for one that does not. */
const DEADLINE_GRACE_MS = 1_000;

/** Watches a context that was made elsewhere: it tells only of its aborts, so that its deadline is all else to go by. */
export class ForeignCaller extends Alarm {
  readonly #caller: RequestContext<never>;
  readonly #timers: SharedTimers;
  readonly #listener: CallerListener;

  constructor(caller: RequestContext<never>, timers: SharedTimers, listener: CallerListener) {
    super();
    this.#caller = caller;
    this.#timers = timers;
    this.#listener = listener;
    caller.signal.addEventListener("abort", this.#onAbort, { once: true });
    timers.set(this, this.#latest);
  }

  forget(): void {
    this.#caller.signal.removeEventListener("abort", this.#onAbort);
    this.#timers.clear(this);
  }

  ring(): void {
    const latest = this.#latest;
    if (latest > this.#timers.now()) this.#timers.set(this, latest);
    else this.#listener.onCallerOver(new MessagingError("TIMEOUT", "call: not ended within its time"));
  }

  /** The deadline moves with what comes. */
  get #latest(): number {
    return Math.min(this.#caller.deadline, Number.MAX_SAFE_INTEGER) + DEADLINE_GRACE_MS;
  }

  readonly #onAbort = (): void => this.#listener.onCallerOver(this.#caller.signal.reason);
}
