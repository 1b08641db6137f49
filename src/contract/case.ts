import type { Capabilities } from "../index.js";
import type { ContractContext } from "./context.js";
import type { AdapterHarness, HarnessFaults } from "./harness.js";

/**
 * A part of a harness that not every adapter can offer. `frames`: a driver, and callers that are on the broker themselves,
 * so that what travels between them and their servers can be seen and changed. `eventService`: no transport stands
 * before the event service, so that all of it can be seen. `shortHold`: the capability `holdMs` is at most 10 s, so that a case can
 * wait for it.
 */
export type Need = keyof HarnessFaults | "createDriver" | "createUnreachable" | "frames" | "eventService" | "shortHold";

const LONGEST_HOLD_MS = 10_000;

export type CapabilityName =
  | `queue.${keyof Capabilities["queue"]}`
  | `broadcast.${keyof Capabilities["broadcast"]}`
  | "inspection"
  | "maxMessageBytes";

type CapabilityValue = boolean | Capabilities["queue"]["ordering"] | Capabilities["inspection"];

/** The values of capabilities with which a case is to be run; for each boolean there are cases for both. `queue.holdMs`: whether it is limited. */
export type CapabilityCondition = Partial<Record<CapabilityName, CapabilityValue | readonly CapabilityValue[]>>;

/** One promise and its proof. */
export interface ContractCase {
  /** Never changes and is never given to another promise. */
  readonly id: string;
  /** The promise, as one sentence in the present tense. */
  readonly sentence: string;
  readonly where?: CapabilityCondition | undefined;
  readonly needs?: readonly Need[] | undefined;
  /** The longest that the case may take, where 30 s are not enough. */
  readonly limitMs?: number | undefined;
  readonly run: (context: ContractContext) => Promise<void>;
}

function capabilityValue(capabilities: Capabilities, name: CapabilityName): boolean | number | string {
  if (name === "maxMessageBytes" || name === "inspection") return capabilities[name];
  if (name === "broadcast.loopback") return capabilities.broadcast.loopback;
  if (name === "queue.holdMs") return capabilities.queue.holdMs !== undefined;
  return capabilities.queue[name.slice("queue.".length) as Exclude<keyof Capabilities["queue"], "holdMs">];
}

export function appliesTo(subject: ContractCase, capabilities: Capabilities): boolean {
  return Object.entries(subject.where ?? {}).every(([name, wanted]) =>
    [wanted].flat().includes(capabilityValue(capabilities, name as CapabilityName) as CapabilityValue),
  );
}

/** What the case needs and the harness does not have. */
export function missingNeeds(subject: ContractCase, harness: AdapterHarness): readonly Need[] {
  return (subject.needs ?? []).filter((need) => {
    if (need === "frames") return harness.createDriver === undefined || harness.requestSink !== undefined;
    if (need === "eventService") return harness.events !== undefined;
    if (need === "shortHold") return (harness.capabilities.queue.holdMs ?? 0) > LONGEST_HOLD_MS;
    if (need === "createDriver" || need === "createUnreachable") return harness[need] === undefined;
    return harness.faults?.[need] === undefined;
  });
}
