// Posts events at a steady pace, and prints `begun N`, `ok N` and `failed N CODE`. SIGTERM: posts no more, waits, ends.
import { setTimeout as delay } from "node:timers/promises";
import { createEventsClient } from "../../../adapters/grpc/index.js";
import { MessagingError } from "../../../src/index.js";

export interface PosterTask {
  readonly servers: readonly string[];
  /** The token of an event is this and its number. */
  readonly prefix: string;
  readonly perSecond: number;
  readonly bytes: number;
}

const { servers, prefix, perSecond, bytes } = JSON.parse(process.argv[2] ?? "{}") as PosterTask;
const client = createEventsClient({ server: servers, firstBackoffMs: 100, maxBackoffMs: 500, keepaliveTimeMs: 2_000 });
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const filler = "x".repeat(bytes);
const posts = new Set<Promise<void>>();

async function post(number: number): Promise<void> {
  console.log(`begun ${number}`);
  try {
    await client.post({ number, filler }, { token: `${prefix}${number}`, timeoutMs: 30_000 });
    console.log(`ok ${number}`);
  } catch (error) {
    console.log(`failed ${number} ${MessagingError.is(error) ? error.code : String(error)}`);
  }
}

for (let number = 0; !stop.signal.aborted; number += 1) {
  const own = post(number).finally(() => posts.delete(own));
  posts.add(own);
  await delay(1_000 / perSecond, undefined, { signal: stop.signal }).catch(() => {});
}
await Promise.all(posts);
await client.close();
