import { randomUUID } from "node:crypto";
import type { ClientSecurityOptions, EventMsg } from "../../adapters/grpc/index.js";
import { CallFailed } from "./call-failed.js";
import { serverFailure } from "./client-flags.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { QueueApi } from "./queue-api.js";
import { retryWhileUnavailable } from "./retry-while-unavailable.js";
import { onStopSignal } from "./stop-signal.js";

/** Posts under way at once. */
const CONCURRENCY = 32;

export interface PostOrder {
  readonly server: string;
  readonly security: ClientSecurityOptions;
  /** For each event. */
  readonly timeoutMs: number;
  readonly count: number;
  readonly event: EventMsg;
}

/** Posts the event so many times, each under a token of its own, and prints how many it was. */
export async function post({ server, security, timeoutMs, count, event }: PostOrder): Promise<ExitCode> {
  const api = new QueueApi(server, security);
  const stop = onStopSignal();
  let begun = 0;
  let posted = 0;
  let failure: unknown;
  const worker = async (): Promise<void> => {
    while (begun < count && failure === undefined && !stop.signal.aborted) {
      begun += 1;
      // One token for all tries: whoever receives the event twice can tell.
      const message = { ...event, userToken: randomUUID() };
      const tryOnce = (leftMs: number): Promise<void> => api.post(message, { timeoutMs: leftMs, signal: stop.signal });
      try {
        await retryWhileUnavailable(tryOnce, { timeoutMs, signal: stop.signal });
        posted += 1;
      } catch (error) {
        failure ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, CONCURRENCY) }, worker));
  api.end();
  stop.dispose();
  process.stdout.write(`${posted} posted\n`);
  if (posted === count) return EXIT_CODE.ok;
  if (stop.signal.aborted) throw new Error(`stopped by a signal after ${posted} of ${count}`);
  const told = failure instanceof CallFailed ? serverFailure(failure, "cannot post to", server) : failure;
  // Bad input means that nothing was done; here some of it was.
  throw posted > 0 && told instanceof Error ? new Error(told.message, { cause: told }) : told;
}
