import type { DriverConsumer } from "../driver/driver.js";
import type { Clock } from "../ports/clock.js";
import { Limit } from "./limit.js";
import type { Life } from "./supervised.js";

/** A broker that does not answer must not block the next change: the consumer is made anew. */
const SET_PREFETCH_TIMEOUT_MS = 10_000;

export interface PrefetchControlOptions {
  readonly clock: Clock;
  readonly queue: string;
  /** The life to tell, if there is one that is to be told. */
  life(): Life<DriverConsumer> | undefined;
  /** What it should be now. */
  wanted(): number;
  /** The driver has what was wanted. */
  onApplied(): void;
}

/** Keeps the driver's prefetch in step with what is wanted: one change after the other, of several only the last. */
export class PrefetchControl {
  readonly #options: PrefetchControlOptions;
  /** What the driver was last told. */
  #applied = 0;
  #adjusting: Promise<void> = Promise.resolve();

  constructor(options: PrefetchControlOptions) {
    this.#options = options;
  }

  /** For a consumer that is being made, which begins with it. */
  first(): number {
    this.#applied = this.#options.wanted();
    return this.#applied;
  }

  request(): void {
    this.#adjusting = this.#adjusting.then(() => this.#adjust());
  }

  async #adjust(): Promise<void> {
    const { clock, queue, life: liveNow, wanted, onApplied } = this.#options;
    const life = liveNow();
    if (life === undefined) return;
    const prefetch = wanted();
    if (prefetch !== this.#applied) {
      this.#applied = prefetch;
      const what = `set the prefetch of ${queue}`;
      const limit = new Limit({ clock, what, timeoutMs: SET_PREFETCH_TIMEOUT_MS, ended: [life.lost] });
      // Also for a driver that throws: the next change must not be lost with this one.
      const set = (async () => life.resource.setPrefetch(prefetch))();
      await limit.race(set).catch((error: unknown) => life.end(error));
      limit.dispose();
    }
    onApplied();
  }
}
