import type { DeadlineModel } from "./deadline-model.js";
import type { CallPlan } from "./plan.js";

/** How far a response, or a piece of one, moves the deadline. */
export const RESPONSE_EXTENDS_MS = 10_000;
export const DEFAULT_WINDOW = 512;
export const DEFAULT_WINDOW_BYTES = 8 * 1024 * 1024;

/** What one call's reader has before it: responses that were handed over, and those that there is no room for yet. */
export class ReaderModel {
  readonly #plan: CallPlan;
  readonly #deadline: DeadlineModel;
  /** Handed over and not taken: their sizes. */
  readonly #unread: number[] = [];
  /** Of a server without flow control: what there is no room for yet. */
  readonly #held: number[] = [];

  constructor(plan: CallPlan, deadline: DeadlineModel) {
    this.#plan = plan;
    this.#deadline = deadline;
  }

  /** Responses that wait here. */
  get waiting(): number {
    return this.#unread.length + this.#held.length;
  }

  get isHandedOver(): boolean {
    return this.#held.length === 0;
  }

  get window(): number {
    return this.#plan.window ?? DEFAULT_WINDOW;
  }

  get hasRoom(): boolean {
    const { length } = this.#unread;
    if (length >= this.window) return false;
    const bytes = this.#unread.reduce((sum, size) => sum + size, 0);
    return length === 0 || bytes < (this.#plan.windowBytes ?? DEFAULT_WINDOW_BYTES);
  }

  /** A response is complete. */
  add(atMs: number, bytes: number): void {
    this.#held.push(bytes);
    this.#pump(atMs);
  }

  taken(atMs: number): void {
    this.#unread.shift();
    if (this.#unread.length === 0) this.#deadline.release(atMs);
    else this.#deadline.hold(atMs, this.#plan.stallMs);
    this.#pump(atMs);
  }

  #pump(atMs: number): void {
    for (let bytes = this.#held[0]; bytes !== undefined && this.hasRoom; bytes = this.#held[0]) {
      this.#held.shift();
      if (this.#plan.allowKeepAlive) this.#deadline.extend(atMs, RESPONSE_EXTENDS_MS);
      if (this.#plan.kind === "one") continue;
      if (this.#unread.length === 0) this.#deadline.hold(atMs, this.#plan.stallMs);
      this.#unread.push(bytes);
    }
  }
}
