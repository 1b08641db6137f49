/** A call whose first response is held back. */
export interface HeldBackCall {
  /** To be called more than once, perhaps, and when it is over. */
  letGo(): void;
}

/**
 * Calls that have one response to send, which waits until the handlers of this turn have run: most calls end with it, and
 * then it says so, which saves a frame. Costs no time: what is sent in a turn leaves at its end.
 */
export class HeldBack {
  #calls: HeldBackCall[] = [];

  add(call: HeldBackCall): void {
    this.#calls.push(call);
    // Behind all promises that handlers wait for now.
    if (this.#calls.length === 1) queueMicrotask(() => process.nextTick(this.#letGo));
  }

  readonly #letGo = (): void => {
    const calls = this.#calls;
    this.#calls = [];
    for (const call of calls) call.letGo();
  };
}
