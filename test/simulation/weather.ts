import type { SeededRandom } from "./seeded-random.js";

/** How the wire behaves where nothing is broken. */
export interface Weather {
  readonly minLatencyMs: number;
  readonly maxLatencyMs: number;
  /** Of broadcast frames: each may be lost, come twice, or come late, so that later ones overtake it. */
  readonly loseBroadcast: number;
  readonly repeatBroadcast: number;
  readonly delayBroadcast: number;
  readonly maxDelayMs: number;
  /** By how many places what happens at the same time may change its order. */
  readonly shuffledPlaces: number;
  /** How many frames a socket takes before publishers are held up. */
  readonly socketFrames: number;
}

/** A latency generator over the weather: mostly even, sometimes with a hiccup. */
export function latencyOf({ minLatencyMs, maxLatencyMs }: Weather, random: SeededRandom): () => number {
  const span = maxLatencyMs - minLatencyMs;
  return () => minLatencyMs + (span === 0 ? 0 : random.int(0, span));
}
