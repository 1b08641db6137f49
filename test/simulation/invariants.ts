import { allowedOutcomes, V4_BUFFER } from "./allowed-outcomes.js";
import type { Entry, Fact, FactOf, Violation } from "./journal.js";
import { BRIDGE } from "./plan.js";

/** A sentence about every run, and how to see from its journal whether it held. */
export interface Invariant {
  readonly id: string;
  readonly sentence: string;
  check(entries: readonly Entry[]): Iterable<Finding>;
}

/** What one run has sent: the sizes of its responses, the last of them, and how many were taken. */
interface Outstanding {
  readonly sizes: number[];
  sequence: number;
  taken: number;
}

interface Finding {
  readonly atMs: number;
  readonly text: string;
}

const DEFAULT_WINDOW = 512;
const DEFAULT_WINDOW_BYTES = 8 * 1024 * 1024;

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
        const state: Outstanding = listOf(runs, fact.wireRun, () => ({ sizes: [], sequence: 0, taken: 0 }));
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
        state.sizes[fact.sequence - 1] = (state.sizes[fact.sequence - 1] ?? 0) + fact.bytes;
      }
    },
  },
  {
    id: "S-05",
    sentence: "no server runs more calls than its capacity, nor holds more requests",
    *check(entries) {
      const running = new Map<string, Set<number>>();
      const processes = new Map<number, string>();
      for (const { atMs, fact } of entries) {
        if (fact.type === "run") {
          const server = `${fact.process} ${fact.sink}`;
          processes.set(fact.run, server);
          const runs = listOf(running, server, () => new Set<number>());
          runs.add(fact.run);
          if (runs.size > fact.capacity) {
            yield { atMs, text: `${server} runs ${runs.size} calls, its capacity is ${fact.capacity}` };
          }
        }
        if (fact.type === "held" && fact.count > fact.capacity) {
          yield { atMs, text: `${fact.process} holds ${fact.count} requests, its capacity is ${fact.capacity}` };
        }
        if (fact.type === "run-over") running.get(processes.get(fact.run) ?? "")?.delete(fact.run);
      }
    },
  },
  {
    id: "S-06",
    sentence: "buffers are bounded: no client holds more than the window, or what V4 allows",
    *check(entries) {
      // Frames of another server than the one that answers are dropped.
      const held = new Map<string, number>();
      const sequences = new Map<string, number>();
      const ended = new Set<number>();
      const flow = new Set<string>();
      const servers = new Map<number, string>();
      for (const { atMs, fact } of entries) {
        if (fact.type === "ended" || fact.type === "given-up") ended.add(fact.call);
        if (fact.type === "run") servers.set(fact.run, `${fact.call} ${fact.process}`);
        if (fact.type === "sent" && fact.hasFlowControl) flow.add(`${fact.call} ${fact.process}`);
        if (fact.type === "taken") {
          const key = servers.get(fact.run) ?? "";
          held.set(key, (held.get(key) ?? 0) - 1);
        }
        if (fact.type !== "arrived" || ended.has(fact.call)) continue;
        const key = `${fact.call} ${fact.server}`;
        // A repetition, of another run of the same call, is dropped too.
        if (fact.sequence !== undefined && fact.sequence <= (sequences.get(key) ?? 0)) continue;
        sequences.set(key, fact.sequence ?? 0);
        const count = (held.get(key) ?? 0) + 1;
        held.set(key, count);
        const plan = planOf(entries, fact.call);
        if (plan?.kind === "one" || plan?.sink === BRIDGE) continue;
        // One more than V4 allows is what fails the call.
        const most = flow.has(key) ? (plan?.window ?? DEFAULT_WINDOW) : V4_BUFFER + 1;
        if (count > most)
          yield { atMs, text: `call ${fact.call}: ${count} responses wait at the client, at most ${most} may` };
      }
    },
  },
  {
    id: "S-07",
    sentence: "no credit leaks: a call with a reading client and a living server always finishes",
    *check(entries) {
      const harmed = new Set([...all(entries, "harm")].map(({ fact }) => fact.call));
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
];

/** All that a journal says against the invariants. */
export function violationsIn(entries: readonly Entry[]): Violation[] {
  return invariants.flatMap(({ id, check }) => [...check(entries)].map((finding) => ({ invariant: id, ...finding })));
}

function* all<Type extends Fact["type"]>(
  entries: readonly Entry[],
  type: Type,
): Iterable<{ readonly atMs: number; readonly fact: FactOf<Type> }> {
  for (const { atMs, fact } of entries) if (fact.type === type) yield { atMs, fact: fact as FactOf<Type> };
}

const plans = new WeakMap<readonly Entry[], Map<number, FactOf<"call">>>();

function planOf(entries: readonly Entry[], call: number): FactOf<"call">["plan"] | undefined {
  let known = plans.get(entries);
  if (known === undefined) {
    known = new Map([...all(entries, "call")].map(({ fact }) => [fact.call, fact]));
    plans.set(entries, known);
  }
  return known.get(call)?.plan;
}

function listOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
