import type { Messaging } from "../../../src/index.js";
import { combineOutcomes } from "../ledger/ledger.js";
import { becomes } from "../round/becomes.js";
import type { FaultOutcome } from "../round/scenario.js";
import { startBroadcastLoad } from "./broadcast-load.js";
import { type QueueLoadOptions, startQueueLoad } from "./queue-load.js";
import { type RequestLoadOptions, startRequestLoad } from "./request-load.js";

export interface ThreeLoadsOptions {
  /** Begins nothing more once it aborts. */
  readonly stopped: AbortSignal;
  /** Publishes, calls and broadcasts. */
  readonly client: Messaging;
  /** Consumes, serves and listens. */
  readonly server: Messaging;
  /** Of the queue, the sink and the broadcast. */
  readonly name: string;
  readonly queue?: Partial<QueueLoadOptions> | undefined;
  readonly request?: Partial<RequestLoadOptions> | undefined;
}

/** A load on each port at once. */
export interface ThreeLoads {
  /** So many publishes to the queue have failed. */
  readonly publishesFailed: number;
  readonly callsFailed: number;
  /**
   * Resolves once something that was begun after this has come through on each port, with how long that took in milliseconds; undefined if it
   * did not within the time, which is a violation.
   */
  comeThrough(timeoutMs: number): Promise<number | undefined>;
  /** Begins nothing more. */
  stop(): void;
  /** Sees all three to their end. */
  finish(timeoutMs: number): Promise<FaultOutcome>;
}

export async function startThreeLoads({
  client,
  server,
  name,
  stopped,
  ...more
}: ThreeLoadsOptions): Promise<ThreeLoads> {
  const [queue, request, broadcast] = await Promise.all([
    startQueueLoad({ stopped, publisher: client, consumer: server, queue: `${name} queue`, ...more.queue }),
    startRequestLoad({ stopped, client, servers: [server], sink: `${name} sink`, ...more.request }),
    startBroadcastLoad({ stopped, publisher: client, listeners: [server], broadcast: `${name} broadcast` }),
  ]);
  const violations: string[] = [];
  const begun = (): readonly number[] => [queue, request, broadcast].map(({ ledger }) => ledger.sent);
  const latest = (): readonly number[] => [queue.ledger.latest, request.ledger.latest, broadcast.heard];
  return {
    get publishesFailed() {
      return queue.ledger.failed;
    },
    get callsFailed() {
      return request.ledger.failed;
    },
    async comeThrough(timeoutMs) {
      const startedAt = performance.now();
      const since = begun();
      const silent = (): readonly string[] => {
        const now = latest();
        return ["queue", "request", "broadcast"].filter((_, index) => (now[index] ?? 0) < (since[index] ?? 0));
      };
      await becomes(() => silent().length === 0, timeoutMs);
      const left = silent();
      if (left.length === 0) return performance.now() - startedAt;
      violations.push(`nothing came through on ${left.join(", ")} in ${timeoutMs} ms`);
      return undefined;
    },
    stop() {
      queue.stop();
      request.stop();
      broadcast.stop();
    },
    async finish(timeoutMs) {
      const [ofQueue, ofRequest, ofBroadcast] = await Promise.all([
        queue.finish(timeoutMs),
        request.finish(),
        broadcast.finish(timeoutMs),
      ]);
      const outcome = combineOutcomes({ queue: ofQueue, requests: ofRequest, broadcasts: ofBroadcast });
      return { ...outcome, violations: [...violations, ...outcome.violations] };
    },
  };
}
