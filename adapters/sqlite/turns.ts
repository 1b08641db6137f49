import { Ring } from "../../src/util/ring.js";

/** What is done in one turn of the event loop, so that nothing else waits for long. */
const SHARE = 1_024;

/** Does things one after the other, in later turns of the event loop: nothing calls back before its caller is done. */
export class Turns {
  readonly #waiting = new Ring<() => void>();
  #turn: NodeJS.Immediate | undefined;

  next(run: () => void): void {
    this.#waiting.push(run);
    this.#turn ??= setImmediate(this.#run);
  }

  readonly #run = (): void => {
    this.#turn = undefined;
    try {
      for (let left = Math.min(SHARE, this.#waiting.size); left > 0; left -= 1) this.#waiting.shift()?.();
    } finally {
      // A callback that throws is its owner's fault; the others go on.
      if (this.#waiting.size > 0) this.#turn ??= setImmediate(this.#run);
    }
  };
}
