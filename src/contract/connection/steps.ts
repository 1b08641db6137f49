import type { Messaging, Observation } from "../../index.js";
import type { ContractContext, ContractNode } from "../context.js";
import type { Collector } from "../probe.js";
import { postOne, type Taking } from "../queue/steps.js";

/** What was told of the connection, in order. */
export function states(observed: Collector<Observation>): string[] {
  return observed.items.flatMap((item) => (item.type === "connection" ? [item.state] : []));
}

export function timesOpen(observed: Collector<Observation>): number {
  return states(observed).filter((state) => state === "open").length;
}

/** Waits until a link that was lost has been healed: open for one more time than `before`. */
export async function openAgain(
  context: ContractContext,
  { observed }: Pick<ContractNode, "observed">,
  before: number,
  extraMs = context.recoveryMs,
): Promise<void> {
  await observed.until(() => timesOpen(observed) > before && states(observed).at(-1) === "open", "open again", extraMs);
}

/** A message that is published now comes to who takes. */
export async function takesOn(
  context: ContractContext,
  messaging: Messaging,
  { consumer, seen }: Taking,
  queue: string,
  body: string,
): Promise<void> {
  await context.until(
    () => consumer.state === "running",
    () => `the consumer to run, it is ${consumer.state}`,
    context.recoveryMs,
  );
  await postOne(context, messaging.queue(queue), body);
  await seen.find((item) => item.text === body, `message ${body}`, context.recoveryMs);
}
