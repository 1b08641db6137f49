import { onAbort } from "../../src/util/abort.js";
import { tooManySearches } from "./errors.js";

/** What looks for messages by their ids goes through a whole queue, since an index would cost every message something. */
const MAX_WAITING = 8;

/** Lets one search run at a time, and a few wait, so that many of them leave the file to its messages. */
export class SearchLine {
  #isTaken = false;
  readonly #waiting = new Set<() => void>();

  /** Rejects with `REJECTED` when too many wait already. Once the signal aborts, it waits no longer. */
  async run<T>(signal: AbortSignal | undefined, search: () => Promise<T>): Promise<T> {
    if (this.#isTaken && !(await this.#turn(signal))) return search();
    this.#isTaken = true;
    try {
      return await search();
    } finally {
      const [next] = this.#waiting;
      if (next === undefined) this.#isTaken = false;
      else next();
    }
  }

  /** Its turn has come; false: it was aborted before. */
  async #turn(signal: AbortSignal | undefined): Promise<boolean> {
    if (this.#waiting.size >= MAX_WAITING) throw tooManySearches(MAX_WAITING);
    return new Promise((resolve) => {
      let forget = (): void => {};
      const leave = (isTurn: boolean): void => {
        this.#waiting.delete(come);
        forget();
        resolve(isTurn);
      };
      const come = (): void => leave(true);
      this.#waiting.add(come);
      forget = onAbort(signal, () => leave(false));
    });
  }
}
