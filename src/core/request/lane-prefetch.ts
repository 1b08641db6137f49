import type { Clock } from "../../ports/clock.js";
import type { Priority } from "../../ports/message.js";
import type { CoreContext } from "../core-context.js";
import { Limit } from "../limit.js";
import type { Life } from "../supervised.js";
import { type LaneConsumers, SET } from "./lane-consumers.js";

/** A broker that does not answer must not block the next change: the consumers are made anew. */
const TIMEOUT_MS = 10_000;

/** Resolves once the consumer of the lane keeps to it. Never rejects: consumers that do not do so are given up. */
export function setLanePrefetch(
  { clock }: CoreContext,
  sink: string,
  life: Life<LaneConsumers>,
  lane: Priority,
  prefetch: number,
): Promise<void> {
  const done = life.resource.setPrefetch(lane, prefetch);
  return done === SET ? SET : keptTo(done, clock, sink, life);
}

async function keptTo(done: Promise<void>, clock: Clock, sink: string, life: Life<LaneConsumers>): Promise<void> {
  const limit = new Limit({ clock, what: `set the prefetch of ${sink}`, timeoutMs: TIMEOUT_MS, ended: [life.lost] });
  await limit.race(done).catch((error: unknown) => life.end(error));
  limit.dispose();
}
