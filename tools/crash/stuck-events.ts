import type { QueueDepth } from "./queue-depth.js";

/** What is left when nothing came any more. */
export interface StuckEvents {
  /** In the queue, as far as the broker tells. */
  readonly seen: number;
  /** By the servers, in this run. */
  readonly givenUp: number;
  /** Events that the broker does not tell of. */
  readonly notTold: readonly string[];
  /** How long nothing came before. */
  readonly quietMs: number;
}

export function toStuckEvents(before: QueueDepth, after: QueueDepth, quietMs: number): StuckEvents {
  const { ready, delayed = 0, inProcessing = 0, deadLetters } = after;
  const seen = ready + delayed + inProcessing;
  return { seen, givenUp: Math.max(0, deadLetters - before.deadLetters), notTold: notTold(after), quietMs };
}

export function notTold({ delayed, inProcessing }: QueueDepth): readonly string[] {
  const names = [delayed === undefined ? "delayed" : "", inProcessing === undefined ? "in processing" : ""];
  return names.filter((name) => name !== "");
}
