import { DeadlineModel } from "./deadline-model.js";
import type { FactOf } from "./journal.js";
import type { CallPlan } from "./plan.js";
import { RESPONSE_EXTENDS_MS } from "./reader-model.js";

/** What the protocol says of one run at its server: by when its handler must have been told that it is over. */
export class RunView {
  readonly plan: CallPlan;
  readonly #deadline: DeadlineModel;
  readonly #stallMs: number;
  /** Responses that were handed over and not accepted: while there are any, the caller may have no credit. */
  #waiting = 0;
  #consumed = 0;

  constructor(atMs: number, plan: CallPlan, { stallMs, isUploaded }: FactOf<"run">) {
    this.plan = plan;
    this.#stallMs = stallMs;
    this.#deadline = new DeadlineModel(atMs + plan.timeoutMs);
    // Each piece has moved the deadline.
    if (isUploaded) this.#extend(atMs, RESPONSE_EXTENDS_MS);
  }

  get dueMs(): number {
    return this.#deadline.latestMs;
  }

  onKeepAlive(atMs: number, ms: number): void {
    this.#extend(atMs, ms);
  }

  onRespond(atMs: number): void {
    this.#extend(atMs, RESPONSE_EXTENDS_MS);
    if (this.#waiting === 0) this.#deadline.hold(atMs, this.#stallMs);
    this.#waiting += 1;
  }

  onAccepted(atMs: number): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#deadline.release(atMs);
  }

  /** Counted anew from each response taken. */
  onCredit(atMs: number, consumed: number): void {
    if (consumed <= this.#consumed) return;
    this.#consumed = consumed;
    if (this.#waiting > 0) this.#deadline.hold(atMs, this.#stallMs);
  }

  #extend(atMs: number, ms: number): void {
    if (this.plan.allowKeepAlive) this.#deadline.extend(atMs, ms);
  }
}
