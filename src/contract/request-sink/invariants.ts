/**
 * What must hold at any moment of any run, as data: the contract's cases check it on what they saw, and so can whoever
 * runs core under other conditions.
 */
export interface Invariant<Ledger> {
  readonly id: string;
  readonly sentence: string;
  /** What is wrong; undefined when it holds. */
  readonly check: (ledger: Ledger) => string | undefined;
}

/** One call, as both ends saw it. */
export interface FlowLedger {
  readonly window: number;
  /** Responses handed over and not taken, at each moment that was looked at. */
  readonly outstanding: number[];
  /** Responses that the service handed over. */
  sent: number;
  /** Responses that the application took. */
  taken: number;
}

/** One call, once it is over. */
export interface CallLedger {
  readonly id: string;
  readonly isIdempotent: boolean;
  /** How often its handler was started, on all nodes. */
  readonly starts: number;
  /** How often it ended for its caller. */
  readonly ends: number;
  /** Undefined: a clean end. */
  readonly errorCode: string | undefined;
  /** Responses handed over by the handler that answered, in order. */
  readonly sent: readonly string[];
  /** Responses that the caller read, in order. */
  readonly read: readonly string[];
}

/** One server's lanes. */
export interface CapacityLedger {
  /** Of all lanes together. */
  readonly capacity: number;
  /** Calls that ran, at each moment that was looked at. */
  readonly running: readonly number[];
}

export const flowInvariants: readonly Invariant<FlowLedger>[] = [
  {
    id: "outstanding-within-window",
    sentence: "what is sent and not taken is never more than the window",
    check({ window, outstanding }) {
      const most = Math.max(0, ...outstanding);
      return most > window ? `${most} outstanding with a window of ${window}` : undefined;
    },
  },
  {
    id: "taken-was-sent",
    sentence: "nothing is taken that was not sent",
    check: ({ sent, taken }) => (taken > sent ? `${taken} taken of ${sent} sent` : undefined),
  },
];

export const callInvariants: readonly Invariant<CallLedger>[] = [
  {
    id: "ends-once",
    sentence: "every call ends exactly once",
    check: ({ id, ends }) => (ends === 1 ? undefined : `call ${id} ended ${ends} times`),
  },
  {
    id: "starts-at-most-once",
    sentence: "the handler of a call that is not idempotent never starts twice",
    check({ id, isIdempotent, starts }) {
      return !isIdempotent && starts > 1 ? `call ${id} was started ${starts} times` : undefined;
    },
  },
  {
    id: "in-order-without-gap",
    sentence: "what is read is the beginning of what was sent, in order, without a gap or a duplicate",
    check({ id, sent, read }) {
      const wrong = read.findIndex((body, index) => body !== sent[index]);
      return wrong === -1 ? undefined : `call ${id}: response ${wrong + 1} is ${read[wrong]}, not ${sent[wrong]}`;
    },
  },
  {
    id: "clean-end-is-complete",
    sentence: "a call that ends well has all its responses",
    check({ id, errorCode, sent, read }) {
      const isShort = errorCode === undefined && read.length !== sent.length;
      return isShort ? `call ${id} ended well with ${read.length} of ${sent.length} responses` : undefined;
    },
  },
];

export const capacityInvariants: readonly Invariant<CapacityLedger>[] = [
  {
    id: "running-within-capacity",
    sentence: "never more calls run than there is capacity",
    check({ capacity, running }) {
      const most = Math.max(0, ...running);
      return most > capacity ? `${most} calls ran with a capacity of ${capacity}` : undefined;
    },
  },
];

/** Throws with every invariant that does not hold. */
export function checkAll<Ledger>(invariants: readonly Invariant<Ledger>[], ledger: Ledger): void {
  const faults = invariants.flatMap(({ id, check }) => {
    const fault = check(ledger);
    return fault === undefined ? [] : [`${id}: ${fault}`];
  });
  if (faults.length > 0) throw new Error(faults.join("; "));
}
