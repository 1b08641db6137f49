/** When something is over at the latest, by what the protocol says of deadlines: they move on, and stand still. */
export class DeadlineModel {
  #endMs: number;
  #heldSinceMs = 0;
  #heldUntilMs: number | undefined;

  constructor(endMs: number) {
    this.#endMs = endMs;
  }

  /** If nothing comes any more. */
  get latestMs(): number {
    return this.#heldUntilMs === undefined ? this.#endMs : this.#endMs + this.#heldUntilMs - this.#heldSinceMs;
  }

  extend(nowMs: number, ms: number): void {
    this.#run(nowMs);
    this.#endMs = Math.max(this.#endMs, nowMs + ms);
  }

  /** Stands still from now on, for so long at most. */
  hold(nowMs: number, ms: number): void {
    this.#run(nowMs);
    this.#heldSinceMs = nowMs;
    this.#heldUntilMs = nowMs + ms;
  }

  release(nowMs: number): void {
    this.#run(nowMs);
    this.#heldUntilMs = undefined;
  }

  /** What has stood still so far stays added. */
  #run(nowMs: number): void {
    if (this.#heldUntilMs === undefined) return;
    const nowOrUntilMs = Math.min(nowMs, this.#heldUntilMs);
    this.#endMs += nowOrUntilMs - this.#heldSinceMs;
    this.#heldSinceMs = nowOrUntilMs;
  }
}
