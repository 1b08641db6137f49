import { clientHistories, TICK_MS } from "./client-history.js";
import { all, type Finding, type Invariant } from "./invariant.js";
import type { Entry } from "./journal.js";

/** What happens between a loss and the next response: at the client, on its way, and at the server. */
export const resumeInvariants: readonly Invariant[] = [
  {
    id: "S-15",
    sentence: "a Resume is sent for each gap and new inbox at once, and again every half interval until it is answered",
    *check(entries) {
      for (const { overdue, resumedWrongly } of clientHistories(entries).values()) {
        if (overdue?.due.why === "resume") yield overdue.finding;
        if (resumedWrongly !== undefined) yield resumedWrongly;
      }
    },
  },
  {
    id: "S-16",
    sentence:
      "a Resume that a server hears is answered as soon as there is room, and one that comes after a later one is ignored",
    check: unanswered,
  },
  {
    id: "S-17",
    sentence: "what a server keeps so that it can be sent again is bounded",
    *check(entries) {
      for (const { atMs, fact } of all(entries, "retained")) {
        if (fact.bytes > fact.maxBytes) {
          yield { atMs, text: `${fact.process} keeps ${fact.bytes} bytes, at most ${fact.maxBytes} may be kept` };
        }
      }
    },
  },
];

interface Heard {
  readonly atMs: number;
  readonly counter: number;
  readonly roomMs: number;
}

function* unanswered(entries: readonly Entry[]): Iterable<Finding> {
  /** By call and server: what waits for its answer, and the highest that was heard. */
  const waiting = new Map<string, Heard>();
  const highest = new Map<string, number>();
  const settled = new Set<number>();
  let lastMs = 0;
  for (const { atMs, fact } of entries) {
    if (atMs > lastMs + TICK_MS) {
      for (const [key, heard] of waiting) {
        if (atMs <= heard.atMs + heard.roomMs) continue;
        waiting.delete(key);
        yield finding(key, heard);
      }
    }
    lastMs = atMs;
    if (fact.type === "died") {
      for (const key of waiting.keys()) if (key.endsWith(` ${fact.process}`)) waiting.delete(key);
    }
    if (fact.type === "settled") {
      settled.add(fact.call);
      // Nobody waits for it any more.
      for (const key of waiting.keys()) if (key.startsWith(`${fact.call} `)) waiting.delete(key);
    }
    if (fact.type !== "resume-heard" && fact.type !== "answered") continue;
    const key = `${fact.call} ${fact.process}`;
    if (fact.type === "answered") {
      if (fact.counter >= (waiting.get(key)?.counter ?? 0)) waiting.delete(key);
      const before = highest.get(key) ?? 0;
      // Nobody knows a call any more that its client has the end of, or whose end is not kept any longer.
      if (fact.counter < before && !settled.has(fact.call) && !fact.isError) {
        const text = `call ${fact.call}: ${fact.process} answered Resume ${fact.counter} after it had heard ${before}`;
        yield { atMs, text };
      }
    } else if (fact.counter > (highest.get(key) ?? 0)) {
      highest.set(key, fact.counter);
      waiting.set(key, { atMs, counter: fact.counter, roomMs: fact.roomMs });
    }
  }
}

function finding(key: string, { atMs, counter }: Heard): Finding {
  const [call = "", process = ""] = key.split(" ");
  return { atMs, text: `call ${call}: ${process} heard Resume ${counter} and did not answer` };
}
