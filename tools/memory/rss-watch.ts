import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
/** All that nobody holds goes now. */
export const collectGarbage = runInNewContext("gc") as () => void;

const SAMPLE_MS = 20;

export interface RssGrowth {
  /** Resident memory when the watch began, after what nobody held was collected. */
  readonly baseBytes: number;
  readonly peakBytes: number;
  /** Of the JavaScript heap, and outside it, at the peak. */
  readonly heapBytes: number;
  readonly externalBytes: number;
}

/** Watches how much memory this process has, from now on. Nothing is collected by force while it watches. */
export class RssWatch {
  readonly #baseBytes: number;
  readonly #timer: NodeJS.Timeout;
  #peak: NodeJS.MemoryUsage;

  constructor() {
    collectGarbage();
    this.#peak = process.memoryUsage();
    this.#baseBytes = this.#peak.rss;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
    this.#timer.unref();
  }

  get growth(): RssGrowth {
    this.#sample();
    const { rss, heapUsed, external } = this.#peak;
    return { baseBytes: this.#baseBytes, peakBytes: rss, heapBytes: heapUsed, externalBytes: external };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    if (process.memoryUsage.rss() > this.#peak.rss) this.#peak = process.memoryUsage();
  }
}
