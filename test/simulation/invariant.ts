import type { Entry, Fact, FactOf } from "./journal.js";
import type { CallPlan } from "./plan.js";

export interface Finding {
  readonly atMs: number;
  readonly text: string;
}

/** A sentence about every run, and how to see from its journal whether it held. */
export interface Invariant {
  readonly id: string;
  readonly sentence: string;
  check(entries: readonly Entry[]): Iterable<Finding>;
}

export function* all<Type extends Fact["type"]>(
  entries: readonly Entry[],
  type: Type,
): Iterable<{ readonly atMs: number; readonly fact: FactOf<Type> }> {
  for (const { atMs, fact } of entries) if (fact.type === type) yield { atMs, fact: fact as FactOf<Type> };
}

const plans = new WeakMap<readonly Entry[], Map<number, FactOf<"call">>>();

export function planOf(entries: readonly Entry[], call: number): CallPlan | undefined {
  let known = plans.get(entries);
  if (known === undefined) {
    known = new Map([...all(entries, "call")].map(({ fact }) => [fact.call, fact]));
    plans.set(entries, known);
  }
  return known.get(call)?.plan;
}

export function listOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
