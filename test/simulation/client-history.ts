import { ClientView, type Due } from "./client-view.js";
import type { Finding } from "./invariant.js";
import type { Entry, Fact, FactOf } from "./journal.js";
import { BRIDGE } from "./plan.js";

/** Timers are exact; what settles does so in the turn of the event loop in which it must. */
export const TICK_MS = 1;

/** How one call went, as its client could see it. */
export interface ClientHistory {
  readonly view: ClientView;
  /** Not over, and its client alive. */
  isOpen: boolean;
  /** It was over later than it had to be. */
  overdue: { readonly due: Due; readonly finding: Finding } | undefined;
  /** It was told to be over by its time or for silence, and was not yet. */
  early: { readonly why: Due["why"]; readonly finding: Finding } | undefined;
  /** More was waiting at the client than may. */
  crowded: Finding | undefined;
  /** It asked its server to go on when or as it should not. */
  resumedWrongly: Finding | undefined;
  /** Its server had been silent for three intervals when it was over: before it answered a Resume, or otherwise. */
  silence: "none" | "unanswered" | "silent";
  /** As it was when something happened to what it hung on. */
  readonly moments: Map<Fact, Moment>;
}

export interface Moment {
  readonly isResumable: boolean;
  /** Its server, as far as it knew. */
  readonly server: string | undefined;
  readonly counter: number;
}

/** As the client itself says it; a server that times out says it in other words. */
const TIMED_OUT = /^call: not ended within its time/;
const FELL_SILENT = /fallen silent/;

const histories = new WeakMap<readonly Entry[], ReadonlyMap<number, ClientHistory>>();

export function clientHistories(entries: readonly Entry[]): ReadonlyMap<number, ClientHistory> {
  let known = histories.get(entries);
  if (known === undefined) {
    known = readHistories(entries);
    histories.set(entries, known);
  }
  return known;
}

function readHistories(entries: readonly Entry[]): Map<number, ClientHistory> {
  const calls = new Map<number, ClientHistory>();
  const made = new Map<string, number[]>();
  let lastMs = 0;
  for (const { atMs, fact } of entries) {
    lastMs = atMs;
    if (fact.type === "call") {
      const view = new ClientView(atMs, fact.plan);
      calls.set(fact.call, {
        view,
        isOpen: true,
        overdue: undefined,
        early: undefined,
        crowded: undefined,
        resumedWrongly: undefined,
        silence: "none",
        moments: new Map(),
      });
      made.set(fact.process, [...(made.get(fact.process) ?? []), fact.call]);
    }
    if (fact.type === "died" || fact.type === "inbox-gone" || fact.type === "inbox-live") {
      for (const call of made.get(fact.process) ?? []) {
        const history = calls.get(call);
        if (history === undefined || !history.isOpen) continue;
        if (fact.type === "died") {
          history.isOpen = false;
          continue;
        }
        lookAt(history, atMs, call);
        if (fact.type === "inbox-gone") history.view.onInboxGone(atMs, fact);
        else history.view.onInboxLive(atMs);
      }
    }
    if (!("call" in fact)) continue;
    const history = calls.get(fact.call);
    if (history === undefined || !history.isOpen) continue;
    lookAt(history, atMs, fact.call);
    apply(history, atMs, fact);
  }
  for (const [call, history] of calls) if (history.isOpen) lookAt(history, lastMs, call);
  return calls;
}

/** Whether the call should have been over before. */
function lookAt(history: ClientHistory, atMs: number, call: number): void {
  const { due } = history.view;
  if (history.overdue !== undefined || atMs <= due.atMs + TICK_MS) return;
  const text = `call ${call} was not over at ${due.atMs} ms, though ${due.text}`;
  history.overdue = { due, finding: { atMs, text } };
}

function apply(history: ClientHistory, atMs: number, fact: Fact): void {
  const { view } = history;
  switch (fact.type) {
    case "requested":
      view.onRequested(fact);
      return;
    case "uploaded":
      view.onUploaded(atMs);
      return;
    case "resumed": {
      const wrong = view.onResumed(atMs, fact);
      if (wrong === undefined) return;
      const text = `call ${fact.call}: Resume ${fact.counter} was sent ${wrong}`;
      history.resumedWrongly ??= { atMs, text };
      return;
    }
    case "aborted":
      view.onAborted(atMs);
      return;
    case "alive":
      view.onAlive(atMs, fact);
      return;
    case "arrived":
      view.onFrame(atMs, fact);
      if (view.waiting > view.mostWaiting) {
        const text = `call ${fact.call}: ${view.waiting} responses wait at the client, at most ${view.mostWaiting} may`;
        history.crowded ??= { atMs, text };
      }
      return;
    case "harm":
    case "frame-lost":
      history.moments.set(fact, { isResumable: view.isResumable, server: view.server, counter: view.counter });
      return;
    case "taken":
      view.onTaken(atMs);
      return;
    case "settled":
      history.isOpen = false;
      if (view.silentMs !== undefined && atMs >= view.silentMs - TICK_MS) {
        history.silence = view.isUnanswered ? "unanswered" : "silent";
      }
      lookForHaste(history, atMs, fact);
      view.onSettled(atMs);
  }
}

function lookForHaste(history: ClientHistory, atMs: number, { call, outcome, message = "" }: FactOf<"settled">): void {
  const { view } = history;
  // Over a bridge it may be the bridge's own call that was told so.
  if (view.plan.sink === BRIDGE || view.due.why === "news") return;
  if (outcome === "TIMEOUT" && TIMED_OUT.test(message) && atMs < view.deadlineMs - TICK_MS) {
    const text = `call ${call} timed out, though its deadline was ${view.deadlineMs} ms`;
    history.early = { why: "deadline", finding: { atMs, text } };
  }
  const { silentMs } = view;
  if (FELL_SILENT.test(message) && (silentMs === undefined || atMs < silentMs - TICK_MS)) {
    const text = `call ${call} ended for silence, which was not due before ${silentMs ?? "ever"} ms`;
    history.early = { why: "silence", finding: { atMs, text } };
  }
}
