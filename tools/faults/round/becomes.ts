import { waitUntil } from "../../process/wait-until.js";

/** Resolves with whether the condition held within the time. */
export async function becomes(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  await waitUntil(condition, { what: "it", timeoutMs, intervalMs: 5 }).catch(() => {});
  return condition();
}
