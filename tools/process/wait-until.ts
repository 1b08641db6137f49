import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Completes the sentence "waited N ms for …". A function is asked when it is too late. */
  readonly what: string | (() => string);
  readonly timeoutMs: number;
  /** Default 25. */
  readonly intervalMs?: number | undefined;
}

/** Polls until the condition holds; rejects with what was waited for when the time is over. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, options: WaitOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await condition())) {
    if (Date.now() >= deadline) {
      const what = typeof options.what === "string" ? options.what : options.what();
      throw new Error(`waited ${options.timeoutMs} ms for ${what}`);
    }
    await delay(options.intervalMs ?? 25);
  }
}
