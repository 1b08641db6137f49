import { clientHistories, TICK_MS } from "./client-history.js";
import type { Due } from "./client-view.js";
import type { Finding, Invariant } from "./invariant.js";
import { all, planOf } from "./invariant.js";
import type { Entry } from "./journal.js";
import { BRIDGE } from "./plan.js";
import { RunView } from "./run-view.js";

/** When calls and runs end: not only that they do. */
export const timeInvariants: readonly Invariant[] = [
  {
    id: "S-11",
    sentence: "a call is over at its deadline, and does not time out before",
    check: (entries) => untimely(entries, "deadline"),
  },
  {
    id: "S-12",
    sentence: "a call that was answered or named is over after three intervals of silence, and not before",
    check: (entries) => untimely(entries, "silence"),
  },
  {
    id: "S-13",
    sentence:
      "an end, an error, an abort, a gap that lasts, and the loss of an inbox before an answer end a call at once",
    check: (entries) => untimely(entries, "news"),
  },
  {
    id: "S-14",
    sentence: "a handler is told at its deadline that its call is over, also one that hangs",
    *check(entries) {
      const views = new Map<number, { readonly view: RunView; readonly call: number; readonly process: string }>();
      const callers = new Map([...all(entries, "call")].map(({ fact }) => [fact.call, fact.process]));
      let lastMs = 0;
      for (const { atMs, fact } of entries) {
        lastMs = atMs;
        if (fact.type === "run") {
          const plan = planOf(entries, fact.call);
          if (plan === undefined) continue;
          views.set(fact.run, { view: new RunView(atMs, plan, fact), call: fact.call, process: fact.process });
        }
        if (fact.type === "credited") {
          const isPassedOn = callers.get(fact.call) !== fact.client;
          for (const { view, call, process } of views.values()) {
            // Of two hops on one server, the second is the one with a handler.
            if (isPassedOn !== (view.plan.sink === BRIDGE)) continue;
            if (call === fact.call && process === fact.process) view.onCredit(atMs, fact.consumed);
          }
        }
        if (!("run" in fact) || typeof fact.run !== "number") continue;
        const { view } = views.get(fact.run) ?? {};
        if (view === undefined) continue;
        if (atMs > view.dueMs + TICK_MS) {
          views.delete(fact.run);
          yield late(fact.run, atMs, view);
        }
        if (fact.type === "kept") view.onKeepAlive(atMs, fact.ms);
        if (fact.type === "respond") view.onRespond(atMs);
        if (fact.type === "accepted" || fact.type === "refused") view.onAccepted(atMs);
        if (fact.type === "run-over") views.delete(fact.run);
      }
      for (const [run, { view }] of views) if (lastMs > view.dueMs + TICK_MS) yield late(run, lastMs, view);
    },
  },
];

function late(run: number, atMs: number, { dueMs, plan }: RunView): Finding {
  return { atMs, text: `run ${run} of call ${plan.number} was not told at ${dueMs} ms, its deadline` };
}

function* untimely(entries: readonly Entry[], why: Due["why"]): Iterable<Finding> {
  for (const { overdue, early } of clientHistories(entries).values()) {
    if (overdue?.due.why === why) yield overdue.finding;
    if (early?.why === why) yield early.finding;
  }
}
