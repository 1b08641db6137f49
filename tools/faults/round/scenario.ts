import type { RabbitmqNode } from "../../rabbitmq/index.js";

export type FaultAdapter = "memory" | "sqlite" | "rabbitmq";

/** What a round counted. A round holds when lost, stuck and unsettled are 0 and it has no violations. */
export interface FaultOutcome {
  /** Publishes, posts and calls that were begun. */
  readonly sent: number;
  /** Those that were told to have succeeded. */
  readonly confirmed: number;
  /** Messages, events and responses that came to their handler, each counted once. */
  readonly handled: number;
  /** How often something came again. At-least-once delivery allows it; where it does not, it is a violation. */
  readonly duplicates: number;
  /** Confirmed, and neither handled, nor kept where an operator finds it. Names or numbers of some go into `violations`. */
  readonly lost: number;
  /** Still in a queue or a table when all was quiet, with nobody who would take it. */
  readonly stuck: number;
  /** Promises that did not settle within their time. */
  readonly unsettled: number;
  /** The longest time in which nothing came through while something should have, in milliseconds. */
  readonly longestGapMs: number;
  /** Whatever else must hold and did not: one sentence each, with figures. */
  readonly violations: readonly string[];
  /** Worth a look in the table: "recovered in 640 ms". */
  readonly notes: readonly string[];
}

/** What one round runs with. All that it starts is ended with it, also after a failure. */
export interface FaultRound {
  readonly adapter: FaultAdapter;
  /** Smaller loads and shorter waits, for the tests: the same fault, and the same that must hold. */
  readonly isShort: boolean;
  /** Seeded: the same seed makes the same decisions. From 0 up to, not including, 1. */
  random(): number;
  /** Empty, removed after the round. */
  readonly directory: string;
  /** For `startProgram`: what is noted there ends with the runner, however that ends. */
  readonly guardDirectory: string;
  /** A RabbitMQ node that rounds share, running and unharmed at the start of each, without queues. */
  node(): Promise<RabbitmqNode>;
  /** Runs when the round is over, the last one first; a rejection is a violation. */
  atEnd(end: () => Promise<void> | void): void;
  /** Aborts when the whole run is to stop, and when the time of this round is over. */
  readonly stopped: AbortSignal;
  say(line: string): void;
}

/** One fault of the table, under load. */
export interface FaultScenario {
  /** `K1` to `K12`. */
  readonly id: string;
  /** Several of one id are told apart by it: "broker killed", "frozen for good". */
  readonly title: string;
  readonly adapters: readonly FaultAdapter[];
  /** A round that takes longer has failed. */
  readonly limitMs: number;
  /** Left out of the short run, because it takes too long there. Default false. */
  readonly isSlow?: boolean | undefined;
  /** Harms what is its own on the node that rounds share, and nothing else there: in a short run such ones run at once. Default false. */
  readonly sharesNode?: boolean | undefined;
  /** Starts its broker itself, and needs nothing that rounds share. Default false. */
  readonly hasOwnBroker?: boolean | undefined;
  /**
   * Loads the machine so that what counts seconds elsewhere would fail, or counts so itself: in a long run it is not beside
   * another such one. Default false.
   */
  readonly keepsApart?: boolean | undefined;
  run(round: FaultRound): Promise<FaultOutcome>;
}
