import { type ClientHistory, clientHistories } from "./client-history.js";
import { type ClientView, V4_BUFFER } from "./client-view.js";
import { all } from "./invariant.js";
import type { Entry, Harm, Outcome } from "./journal.js";
import { Outages } from "./outages.js";
import { BRIDGE, type CallPlan } from "./plan.js";

/** How each call may end, by its plan and by what happened to what it hung on. */
export function allowedOutcomes(entries: readonly Entry[]): Map<number, Set<Outcome>> {
  const allowed = new Map<number, Set<Outcome>>();
  const acked = new Set([...all(entries, "acked")].map(({ fact }) => `${fact.call} ${fact.process}`));
  const histories = clientHistories(entries);
  /** Of each process, the calls that live there under a name of the caller's. */
  const live = new Map<string, Set<number>>();
  const names = new Map<number, string>();
  const outages = new Outages();
  /** Calls whose server keeps less than the window allows. */
  const forgetful = new Set<number>();
  const cut = new Set<number>();
  /** Calls whose server may have been silent, or was not heard. */
  const muted = new Set<number>();
  /** Calls whose client may not have noticed yet that it hears nothing any more. */
  const deaf = new Set<number>();
  for (const entry of entries) {
    const { atMs, fact } = entry;
    outages.see(entry);
    if (fact.type === "run" && !fact.keepsAll) forgetful.add(fact.call);
    const history = "call" in fact ? histories.get(fact.call) : undefined;
    const moment = history?.moments.get(fact);
    if (fact.type === "frame-lost" && moment !== undefined) {
      cut.add(fact.call);
      // Two of them in a row are silence.
      if (fact.isAlive) muted.add(fact.call);
      else outages.begin(fact.call, atMs, { ...moment, isServers: false });
    }
    if (fact.type === "resumed") deaf.delete(fact.call);
    if (fact.type === "settled" && history !== undefined) {
      const isLong = outages.isLong(fact.call, atMs);
      const isForgotten = forgetful.has(fact.call);
      const isMuted = muted.has(fact.call) || deaf.has(fact.call);
      for (const outcome of cut.has(fact.call) ? lossOutcomes(history, { isLong, isForgotten, isMuted }) : []) {
        allowed.get(fact.call)?.add(outcome);
      }
    }
    if (fact.type === "call") {
      const outcomes = new Set(plannedOutcomes(fact.plan));
      allowed.set(fact.call, outcomes);
      if (fact.plan.callId === undefined) continue;
      const name = `${fact.process} ${fact.plan.sink} ${fact.plan.callId}`;
      const others = live.get(name) ?? new Set();
      if (others.size > 0) outcomes.add("ALREADY_EXISTS");
      live.set(name, others.add(fact.call));
      names.set(fact.call, name);
    }
    if (fact.type === "ended") live.get(names.get(fact.call) ?? "")?.delete(fact.call);
    if (fact.type === "harm") {
      const { harm } = fact;
      const view = history?.view;
      if (view === undefined) continue;
      if (isLink(harm) && moment !== undefined) {
        cut.add(fact.call);
        if (harm.server === undefined) deaf.add(fact.call);
        else muted.add(fact.call);
        outages.begin(fact.call, atMs, { ...moment, isServers: harm.server !== undefined });
      }
      const isLinkOnly = isLink(harm) && moment?.isResumable === true && view.plan.sink !== BRIDGE;
      // Once it was answered or named it goes on, however often that breaks; only what is passed on hangs on more.
      if (isLinkOnly && (harm.server === undefined || harm.server === moment.server)) continue;
      for (const outcome of harmOutcomes(harm, view, acked.has(`${fact.call} ${harm.server}`))) {
        allowed.get(fact.call)?.add(outcome);
      }
    }
  }
  return allowed;
}

/** What a call that goes on after a loss may still end with. */
function* lossOutcomes(
  { view, silence }: ClientHistory,
  { isLong, isForgotten, isMuted }: Readonly<Record<"isLong" | "isForgotten" | "isMuted", boolean>>,
): Iterable<Outcome> {
  if (view.isGapLasting || isForgotten) yield "DATA_LOSS";
  if (view.isInboxLost) yield "UNAVAILABLE";
  if (isLong) yield* ["UNAVAILABLE", "DATA_LOSS"];
  // It has failed, and was told so in an inbox that was gone.
  if (view.isUpload) yield "DATA_LOSS";
  // An end that was lost, and all that named it, is not known of.
  if (isLong && view.node === undefined) yield "TIMEOUT";
  // Broadcasts may be lost again and again.
  if (silence === "unanswered") yield* ["UNAVAILABLE", "DATA_LOSS"];
  if (silence === "silent" && isMuted) yield "UNAVAILABLE";
}

function isLink({ kind }: Harm): boolean {
  return kind === "lose-connection" || kind === "lose-inbox";
}

function plannedOutcomes(plan: CallPlan): Outcome[] {
  const outcomes = [...ownOutcomes(plan)];
  if (!plan.isGenerous) outcomes.push("TIMEOUT");
  if (plan.abort !== undefined) outcomes.push("ABORTED");
  if (plan.kind !== "stream") return outcomes;
  if (plan.reader.kind === "leave") outcomes.push("LEFT");
  if (plan.reader.kind === "stop") outcomes.push("ABORTED", "TIMEOUT");
  return outcomes;
}

function* ownOutcomes({ kind, window, handler }: CallPlan): Iterable<Outcome> {
  const { ending, failsWith, responses } = handler;
  if (kind === "one-way") return yield "ok";
  // Whoever answers without flow control may drown the reader.
  if (responses > V4_BUFFER) yield "REJECTED";
  // A handler that does not wait may respond more than can wait for credit.
  if (handler.style === "unawaited" && responses > (window ?? responses)) yield "REJECTED";
  if (kind === "one" && responses > 1 && ending !== "throw-at-once") {
    // Or its own error, where the second response was lost before it.
    if (ending === "fail") yield failsWith;
    return yield "REMOTE";
  }
  switch (ending) {
    case "end":
    case "late":
      return yield kind === "one" && responses === 0 ? "DATA_LOSS" : "ok";
    case "throw":
    case "throw-at-once":
      return yield "REMOTE";
    case "fail":
      return yield failsWith;
    case "hang":
      return yield "TIMEOUT";
  }
}

function* harmOutcomes({ kind, server, isForced }: Harm, view: ClientView, isAcked: boolean): Iterable<Outcome> {
  if (kind === "unsupported") return yield "UNSUPPORTED";
  const { idempotent, sink } = view.plan;
  if (server === undefined) {
    // Over a bridge it may be the call behind it that has lost its end.
    if (sink === BRIDGE && kind === "lose-connection") yield "DATA_LOSS";
    return yield kind === "close" ? "CLOSED" : "UNAVAILABLE";
  }
  // Nobody has answered, or somebody else: the queue gives the request to the next.
  // What is uploaded, or passed on, hangs on an inbox of its server's.
  const movesOn = idempotent && view.node !== server && !view.isUpload && !view.hasMoved && sink !== BRIDGE;
  switch (kind) {
    case "kill":
    case "lose-consumer":
      if (!movesOn) yield "UNAVAILABLE";
      break;
    case "lose-connection":
      // Without numbers, or not started yet, it ends.
      if (sink === BRIDGE) yield "DATA_LOSS";
      if (!movesOn || !view.hasLife) yield "UNAVAILABLE";
      break;
    case "close":
      if (!movesOn || isForced) yield "UNAVAILABLE";
      break;
    default:
      yield "UNAVAILABLE";
  }
  // Who was not told who runs it, or by whom it may be run still, has only the deadline left; unless the request comes to
  // another, as long as it has not been taken out of the queue.
  if (!view.isWatched && (!movesOn || isAcked)) yield "TIMEOUT";
}
