import type { FaultAdapter, FaultScenario } from "../round/scenario.js";

interface Turn {
  readonly scenario: FaultScenario;
  readonly adapter: FaultAdapter;
}

/** One after another; what stands in one of its groups, at once. */
export type Track<T extends Turn> = readonly (readonly T[])[];

/**
 * Tracks run side by side: what one harms, another does not use. Rounds on the node that all share stand in one track. In a
 * short run files and memory have a track each, and those that harm only what is theirs on the node come last, at once; in a
 * long one that would cost their figures more than it saves.
 */
export function tracksOf<T extends Turn>(turns: readonly T[], isShort: boolean): readonly Track<T>[] {
  const isOnNode = ({ scenario, adapter }: T): boolean => adapter === "rabbitmq" && !scenario.hasOwnBroker;
  const alone = (some: readonly T[]): Track<T> => some.map((turn) => [turn]);
  const onNode = turns.filter(isOnNode);
  const others = turns.filter((turn) => !isOnNode(turn));
  if (!isShort) return [alone(onNode), alone(others)];
  const gentle = onNode.filter(({ scenario }) => scenario.sharesNode);
  return [
    [...alone(onNode.filter(({ scenario }) => !scenario.sharesNode)), gentle],
    alone(others.filter(({ adapter }) => adapter === "sqlite")),
    alone(others.filter(({ adapter }) => adapter !== "sqlite")),
  ];
}
