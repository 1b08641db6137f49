import type { Capabilities } from "../index.js";
import type { ContractContext } from "./context.js";
import type { AdapterHarness, HarnessFaults } from "./harness.js";

/**
 * A part of a harness that not every adapter can offer. `frames`: a driver, and callers that are on the broker themselves,
 * so that what travels between them and their servers can be seen and changed.
 */
export type Need = keyof HarnessFaults | "createDriver" | "createUnreachable" | "frames";

export type CapabilityName =
  | `queue.${keyof Capabilities["queue"]}`
  | `broadcast.${keyof Capabilities["broadcast"]}`
  | "maxMessageBytes";

type CapabilityValue = boolean | Capabilities["queue"]["ordering"];

/** The values of capabilities with which a case is to be run; for each boolean there are cases for both. */
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
  if (name === "maxMessageBytes") return capabilities.maxMessageBytes;
  if (name === "broadcast.loopback") return capabilities.broadcast.loopback;
  return capabilities.queue[name.slice("queue.".length) as keyof Capabilities["queue"]];
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
    if (need === "createDriver" || need === "createUnreachable") return harness[need] === undefined;
    return harness.faults?.[need] === undefined;
  });
}
