import { allowedOutcomes } from "./allowed-outcomes.js";
import { boundInvariants } from "./bound-invariants.js";
import { all, type Invariant, listOf, planOf } from "./invariant.js";
import type { Entry, FactOf, Violation } from "./journal.js";
import { resumeInvariants } from "./resume-invariants.js";
import { timeInvariants } from "./time-invariants.js";

export const invariants: readonly Invariant[] = [
  {
    id: "S-01",
    sentence: "every call ends exactly once",
    *check(entries) {
      const dead = new Set([...all(entries, "died")].map(({ fact }) => fact.process));
      const ends = new Map<number, number>();
      const tellings = new Map<number, number>();
      let lastMs = 0;
      for (const { atMs, fact } of entries) {
        lastMs = atMs;
        if (fact.type === "ended") {
          const count = (ends.get(fact.call) ?? 0) + 1;
          ends.set(fact.call, count);
          if (count > 1) yield { atMs, text: `call ${fact.call} ended ${count} times` };
          // Given up after it had ended, with responses unread.
          const isGivenUp = fact.outcome === "ABORTED" || fact.outcome === "LEFT";
          if (fact.outcome !== fact.told && !isGivenUp) {
            yield { atMs, text: `call ${fact.call} ended with ${fact.outcome}, but \`ended\` told ${fact.told}` };
          }
        }
        if (fact.type === "taken" && ends.has(fact.call)) {
          yield { atMs, text: `call ${fact.call} gave a response after its end` };
        }
        if (fact.type === "told" && !fact.isOver) {
          const count = tellings.get(fact.call) ?? 0;
          if (count > 0) yield { atMs, text: `the sink told call ${fact.call} ${fact.how} after it had told its end` };
          if (fact.how !== "respond") tellings.set(fact.call, count + 1);
        }
      }
      for (const { fact } of all(entries, "call")) {
        if (!ends.has(fact.call) && !dead.has(fact.process))
          yield { atMs: lastMs, text: `call ${fact.call} never ended` };
      }
    },
  },
  {
    id: "S-02",
    sentence: "a call whose client, server and links stay healthy ends OK",
    *check(entries) {
      const allowed = allowedOutcomes(entries);
      for (const { atMs, fact } of all(entries, "ended")) {
        const outcomes = allowed.get(fact.call) ?? new Set();
        if (outcomes.has(fact.outcome)) continue;
        const wanted = [...outcomes].join(" or ");
        yield {
          atMs,
          text: `call ${fact.call} ended with ${fact.outcome} (${fact.message ?? ""}), not with ${wanted}`,
        };
      }
    },
  },
  {
    id: "S-03",
    sentence: "responses arrive in order without gap or duplicate, or the call fails",
    *check(entries) {
      const given = new Map<number, Set<number>>();
      const taken = new Map<number, FactOf<"taken">[]>();
      const runs = new Map<number, FactOf<"run">>();
      for (const { atMs, fact } of entries) {
        if (fact.type === "run") {
          runs.set(fact.run, fact);
          if (!fact.isIntact) yield { atMs, text: `the request of call ${fact.call} did not arrive as it was made` };
        }
        if (fact.type === "respond") listOf(given, fact.run, () => new Set<number>()).add(fact.index);
        if (fact.type === "refused") given.get(fact.run)?.delete(fact.index);
        if (fact.type === "taken") {
          const before = listOf(taken, fact.call, (): FactOf<"taken">[] => []);
          const last = before.at(-1);
          before.push(fact);
          if (fact.index < 0 || runs.get(fact.run)?.call !== fact.call) {
            yield { atMs, text: `call ${fact.call} got a response that was never given to it` };
          } else if (last !== undefined && last.run !== fact.run) {
            yield { atMs, text: `call ${fact.call} got responses of two runs` };
          } else if (last !== undefined && last.index >= fact.index) {
            yield { atMs, text: `call ${fact.call} got response ${fact.index} after ${last.index}` };
          }
        }
      }
      // What was refused to the handler is known only at the end.
      for (const [call, responses] of taken) {
        const [first] = responses;
        if (first === undefined) continue;
        const expected = [...(given.get(first.run) ?? [])].sort((one, other) => one - other);
        for (const [place, { index }] of responses.entries()) {
          if (index === expected[place]) continue;
          yield { atMs: 0, text: `call ${call} got response ${index} where ${expected[place] ?? "none"} was next` };
          break;
        }
      }
      for (const { atMs, fact } of all(entries, "ended")) {
        const plan = planOf(entries, fact.call);
        if (fact.outcome !== "ok" || plan?.kind === "one-way") continue;
        const responses = taken.get(fact.call) ?? [];
        const ran = [...runs.values()].filter(({ call }) => call === fact.call).map(({ run }) => run);
        const counts = (responses[0] === undefined ? ran : [responses[0].run]).map((run) => given.get(run)?.size ?? 0);
        if (counts.includes(responses.length)) continue;
        yield { atMs, text: `call ${fact.call} ended OK with ${responses.length} of ${counts.join(" or ")} responses` };
      }
    },
  },
  ...boundInvariants,
  {
    id: "S-07",
    sentence: "no credit leaks: a call with a reading client and a living server always finishes",
    *check(entries) {
      const harmed = new Set([...all(entries, "harm"), ...all(entries, "frame-lost")].map(({ fact }) => fact.call));
      for (const { atMs, fact } of all(entries, "ended")) {
        const plan = planOf(entries, fact.call);
        if (plan === undefined || harmed.has(fact.call) || !plan.isGenerous) continue;
        if (fact.outcome === "TIMEOUT") yield { atMs, text: `call ${fact.call} stood still until its deadline` };
      }
    },
  },
  {
    id: "S-08",
    sentence: "a handler never starts twice for one call that is not idempotent",
    *check(entries) {
      const starts = new Map<number, string[]>();
      for (const { atMs, fact } of all(entries, "run")) {
        const processes = listOf(starts, fact.call, (): string[] => []);
        processes.push(fact.process);
        if (processes.length > 1 && planOf(entries, fact.call)?.idempotent === false) {
          yield { atMs, text: `call ${fact.call} started ${processes.length} times: on ${processes.join(", ")}` };
        }
      }
    },
  },
  {
    id: "S-09",
    sentence: "within 5 s of the end nothing is left in any table",
    *check(entries) {
      for (const { atMs, fact } of all(entries, "left")) {
        yield { atMs, text: `${fact.process}: ${fact.count} left in ${fact.table}` };
      }
    },
  },
  {
    id: "S-10",
    sentence: "every promise settles",
    *check(entries) {
      for (const { atMs, fact } of all(entries, "unsettled")) {
        yield { atMs, text: `${fact.process}: ${fact.promise} has not settled` };
      }
    },
  },
  ...timeInvariants,
  ...resumeInvariants,
];

/** All that a journal says against the invariants. */
export function violationsIn(entries: readonly Entry[]): Violation[] {
  return invariants.flatMap(({ id, check }) => [...check(entries)].map((finding) => ({ invariant: id, ...finding })));
}
