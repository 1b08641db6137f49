import type { Entry, Outcome } from "./journal.js";
import { BRIDGE, type CallPlan } from "./plan.js";

/** What a client holds of a server without flow control. */
export const V4_BUFFER = 2_048;

/** How each call may end, by its plan and by what happened to what it hung on. */
export function allowedOutcomes(entries: readonly Entry[]): Map<number, Set<Outcome>> {
  const allowed = new Map<number, Set<Outcome>>();
  /** Of each process, the calls that live there under a name of the caller's. */
  const live = new Map<string, Set<number>>();
  const names = new Map<number, string>();
  for (const { fact } of entries) {
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
    if (fact.type === "harm") for (const outcome of harmOutcomes(fact.why)) allowed.get(fact.call)?.add(outcome);
  }
  return allowed;
}

function plannedOutcomes(plan: CallPlan): Outcome[] {
  const outcomes = [...ownOutcomes(plan)];
  if (!plan.isGenerous) outcomes.push("TIMEOUT");
  if (plan.abort !== undefined) outcomes.push("ABORTED");
  // Whoever passes calls on makes them under the names that their callers gave them.
  if (plan.sink === BRIDGE && plan.callId !== undefined) outcomes.push("ALREADY_EXISTS");
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

function harmOutcomes(why: string): Outcome[] {
  if (why === "closed") return ["CLOSED"];
  if (why === "unsupported") return ["UNSUPPORTED"];
  return ["UNAVAILABLE", "DATA_LOSS", "TIMEOUT"];
}
