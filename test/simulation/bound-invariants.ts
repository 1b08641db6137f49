import type { Priority } from "../../src/ports/message.js";
import { clientHistories } from "./client-history.js";
import { all, type Finding, type Invariant, listOf, planOf } from "./invariant.js";
import type { Concurrency } from "./journal.js";
import { BRIDGE } from "./plan.js";
import { DEFAULT_WINDOW, DEFAULT_WINDOW_BYTES } from "./reader-model.js";

/** What one run has sent: the sizes of its responses, the last of them, and how many were taken. */
interface Outstanding {
  readonly sizes: number[];
  sequence: number;
  taken: number;
  /** What was sent once is counted once. */
  readonly seen: Set<string>;
}

/** So many slots the standard lane keeps free when it lends to bulk. */
const STANDARD_KEEPS_FREE = 3;

/** How much there may be at a time: of responses on their way, of calls that run, of requests that are held. */
export const boundInvariants: readonly Invariant[] = [
  {
    id: "S-04",
    sentence: "what a server has sent and the caller's application has not taken never exceeds the window",
    *check(entries) {
      const servers = new Map<number, string>();
      // A hop without flow control takes all that it is given, and so does whoever passes it on to that hop.
      const mixed = new Set<number>();
      for (const { fact } of all(entries, "sent")) if (!fact.hasFlowControl) mixed.add(fact.call);
      /** By call and server, and then by run. */
      const outstanding = new Map<string, Map<string, Outstanding>>();
      for (const { atMs, fact } of entries) {
        if (fact.type === "run") servers.set(fact.run, `${fact.call} ${fact.process}`);
        if (fact.type === "taken") {
          // Over a bridge, whoever passes it on has sent it too.
          const isBridged = planOf(entries, fact.call)?.sink === BRIDGE;
          for (const [server, runs] of outstanding) {
            const isIts = isBridged ? server.startsWith(`${fact.call} `) : server === servers.get(fact.run);
            for (const state of isIts ? runs.values() : []) state.taken += 1;
          }
        }
        if (fact.type !== "sent" || !fact.hasFlowControl) continue;
        const runs = listOf(outstanding, `${fact.call} ${fact.process}`, () => new Map<string, Outstanding>());
        const state: Outstanding = listOf(runs, fact.wireRun, () => ({
          sizes: [],
          sequence: 0,
          taken: 0,
          seen: new Set(),
        }));
        if (fact.sequence > state.sequence) {
          state.sequence = fact.sequence;
          const plan = planOf(entries, fact.call);
          // What `callOne` takes is not seen.
          if (plan?.kind === "one" || (plan?.sink === BRIDGE && mixed.has(fact.call))) continue;
          const waiting = state.sizes.length - state.taken;
          const window = plan?.window ?? DEFAULT_WINDOW;
          if (waiting >= window)
            yield { atMs, text: `call ${fact.call}: ${waiting + 1} outstanding, the window is ${window}` };
          const bytes = state.sizes.slice(state.taken).reduce((sum, size) => sum + size, 0);
          const windowBytes = plan?.windowBytes ?? DEFAULT_WINDOW_BYTES;
          if (waiting > 0 && bytes >= windowBytes) {
            yield {
              atMs,
              text: `call ${fact.call}: sent another on top of ${bytes} bytes, the window is ${windowBytes}`,
            };
          }
          state.sizes.push(0);
        }
        const part = `${fact.sequence} ${fact.piece ?? "whole"}`;
        if (state.seen.has(part)) continue;
        state.seen.add(part);
        state.sizes[fact.sequence - 1] = (state.sizes[fact.sequence - 1] ?? 0) + fact.bytes;
      }
    },
  },
  {
    id: "S-05",
    sentence: "no lane of a server runs more calls than its own slots and those it may borrow, nor holds more requests",
    *check(entries) {
      const running = new Map<string, Set<number>>();
      const runs = new Map<number, readonly string[]>();
      for (const { atMs, fact } of entries) {
        if (fact.type === "run") {
          const server = `${fact.process} ${fact.sink}`;
          const lane = `${server} ${fact.lane}`;
          runs.set(fact.run, [server, lane]);
          for (const key of [server, lane]) listOf(running, key, () => new Set<number>()).add(fact.run);
          const count = running.get(lane)?.size ?? 0;
          yield* beyond(fact, { atMs, count, sum: running.get(server)?.size ?? 0, what: "runs", of: "calls" });
        }
        if (fact.type === "held") yield* beyond(fact, { ...fact, atMs, what: "holds", of: "requests" });
        if (fact.type === "run-over") for (const key of runs.get(fact.run) ?? []) running.get(key)?.delete(fact.run);
      }
    },
  },
  {
    id: "S-06",
    sentence: "buffers are bounded: no client holds more than the window, or what V4 allows",
    *check(entries) {
      for (const { crowded } of clientHistories(entries).values()) if (crowded !== undefined) yield crowded;
    },
  },
];

interface Load {
  readonly atMs: number;
  readonly count: number;
  /** In all lanes. */
  readonly sum: number;
  readonly what: string;
  readonly of: string;
}

function* beyond(
  { process, sink, lane, concurrency }: { process: string; sink: string; lane: Priority; concurrency: Concurrency },
  { atMs, count, sum, what, of }: Load,
): Iterable<Finding> {
  const { expedite, standard, bulk } = concurrency;
  const capacity = expedite + standard + bulk;
  if (sum > capacity) yield { atMs, text: `${process} ${what} ${sum} ${of} of ${sink}, its capacity is ${capacity}` };
  const most = mostOf(lane, concurrency);
  if (count > most)
    yield { atMs, text: `${process} ${what} ${count} ${of} of ${sink} in lane ${lane}, not at most ${most}` };
}

/** Bulk and standard lend upwards, all but their last slot; standard lends to bulk what is free above a minimum. */
function mostOf(lane: Priority, { expedite, standard, bulk }: Concurrency): number {
  switch (lane) {
    case "expedite":
      return expedite + (standard - 1) + (bulk - 1);
    case "standard":
      return standard + (bulk - 1);
    case "bulk":
      return bulk + Math.max(0, standard - STANDARD_KEEPS_FREE);
  }
}
