import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import type { DemoServer } from "./demo-server.js";
import type { Ledger } from "./ledger.js";

const CONCURRENCY = 16;
const CALL_MS = 35_000;
/** Before one event is given up. */
const EVENT_MS = 120_000;

/** What may succeed at another server, or later. Posting twice under one token is no harm. */
const RETRIED: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.RESOURCE_EXHAUSTED,
  status.CANCELLED,
  status.INTERNAL,
]);

export interface PosterOptions {
  readonly servers: readonly DemoServer[];
  readonly ledger: Ledger;
  readonly events: number;
  /** What happens before the event of this index is posted; further posts wait for it. */
  readonly interruptions: ReadonlyMap<number, () => Promise<void>>;
  readonly stopped: AbortSignal;
}

/** Posts all events, each under one token for all its tries. Rejects if one cannot be posted. */
export async function postAll({ servers, ledger, events, interruptions, stopped }: PosterOptions): Promise<void> {
  let next = 0;
  let interruption: Promise<void> | undefined;
  const work = async (worker: number): Promise<void> => {
    let current = worker;
    while (next < events && !stopped.aborted) {
      const index = next;
      next += 1;
      interruption = interruptions.get(index)?.() ?? interruption;
      await interruption;
      const token = ledger.tokenOf(index);
      const deadline = Date.now() + EVENT_MS;
      for (let failures = 1; ; failures += 1) {
        const error = await postOnce(servers, current, token, index);
        if (error === undefined) break;
        if (stopped.aborted) return;
        if (!RETRIED.has(error.code) || Date.now() > deadline) throw new Error(`event ${index}: ${error.message}`);
        current += 1;
        await delay(Math.min(100 * 2 ** failures, 1_000), undefined, { signal: stopped }).catch(() => {});
      }
      ledger.addPosted(token);
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENCY, events) }, (_, worker) => work(worker)));
}

function postOnce(
  servers: readonly DemoServer[],
  current: number,
  userToken: string,
  index: number,
): Promise<{ readonly code: number; readonly message: string } | undefined> {
  const event = { clientId: "demo-poster", eventJson: JSON.stringify({ number: index }), userToken };
  return new Promise((resolve) => {
    const server = servers[current % servers.length];
    server?.client.PostEvent(event, { deadline: Date.now() + CALL_MS }, (error) => resolve(error ?? undefined));
  });
}
