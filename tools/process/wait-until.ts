import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Completes the sentence "waited N ms for …". A function is asked when it is too late. */
  readonly what: string | (() => string);
  /** Of it, the wait between two looks counts as `intervalMs`, whatever the machine makes of it. */
  readonly timeoutMs: number;
  /** Default 25. */
  readonly intervalMs?: number | undefined;
}

/** Polls until the condition holds; rejects with what was waited for when the time is over. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, options: WaitOptions): Promise<void> {
  const { what, timeoutMs, intervalMs = 25 } = options;
  for (let waitedMs = 0; ; waitedMs += intervalMs) {
    const lookedAt = performance.now();
    if (await condition()) return;
    waitedMs += performance.now() - lookedAt;
    if (waitedMs >= timeoutMs) {
      throw new Error(`waited ${timeoutMs} ms for ${typeof what === "string" ? what : what()}`);
    }
    await delay(intervalMs);
  }
}
