import { collectGarbage } from "../../memory/rss-watch.js";

export interface HeldMemory {
  /** Of the heap and outside it, after what nobody holds was collected. */
  readonly heldBytes: number;
  readonly rssBytes: number;
}

/** At each SIGUSR2 prints `memory` and a HeldMemory as JSON. */
export function answerMemoryProbes(): void {
  process.on("SIGUSR2", () => {
    collectGarbage();
    const { heapUsed, external, rss } = process.memoryUsage();
    const held: HeldMemory = { heldBytes: heapUsed + external, rssBytes: rss };
    console.log(`memory ${JSON.stringify(held)}`);
  });
}
