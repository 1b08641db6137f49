// Receives events and prints `got TOKEN` before it acknowledges. SIGTERM: takes no more, says goodbye, ends.
import { setTimeout as delay } from "node:timers/promises";
import { createEventsClient } from "../../../adapters/grpc/index.js";

export interface SubscriberTask {
  readonly servers: readonly string[];
  readonly clientId: string;
  readonly concurrency: number;
  /** How long a handler takes. */
  readonly handleMs: number;
  /** Events with such tokens kill this process before they are acknowledged. */
  readonly deadlyPrefix?: string | undefined;
  /** Events with such tokens are refused, always. */
  readonly refusedPrefix?: string | undefined;
}

const task = JSON.parse(process.argv[2] ?? "{}") as SubscriberTask;
const { servers, clientId, concurrency, handleMs, deadlyPrefix, refusedPrefix } = task;
const client = createEventsClient({
  server: servers,
  clientId,
  firstBackoffMs: 50,
  maxBackoffMs: 500,
  livesAfterMs: 500,
  keepaliveTimeMs: 2_000,
});
await client.subscribe(
  async ({ token }) => {
    console.log(`got ${token}`);
    if (deadlyPrefix !== undefined && token.startsWith(deadlyPrefix)) process.kill(process.pid, "SIGKILL");
    if (refusedPrefix !== undefined && token.startsWith(refusedPrefix)) throw new Error("this one is never handled");
    if (handleMs > 0) await delay(handleMs);
  },
  { concurrency },
);
console.log("subscribed");
process.once("SIGTERM", () => void client.close({ drainMs: 5_000 }));
