import { createEventsClient } from "../../adapters/grpc/index.js";
import { waitUntil } from "../process/wait-until.js";

/** Nothing is due later than this, once everybody has gone. */
const MOST_MS = 60_000;

/**
 * Receives what is still there until nothing came for so long, and resolves with how many it were: events that were received
 * before a kill took their acknowledgement away.
 */
export async function sweep(servers: readonly string[], quietMs: number): Promise<number> {
  const client = createEventsClient({ server: servers, firstBackoffMs: 200, maxBackoffMs: 1_000 });
  try {
    let events = 0;
    let lastAt = Date.now();
    const take = (): void => {
      events += 1;
      lastAt = Date.now();
    };
    await client.subscribe(take, { concurrency: 100 });
    lastAt = Date.now();
    const what = (): string => `the queue to be empty; ${events} events came, and more still come`;
    await waitUntil(() => Date.now() - lastAt > quietMs, { what, timeoutMs: MOST_MS });
    return events;
  } finally {
    await client.close();
  }
}
