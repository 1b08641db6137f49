import type { CallPlan } from "./plan.js";

/** `ok`, the code of the error, or `LEFT`: the reader left the loop. */
export type Outcome = string;

/** What can be known about a run without looking into the engine, but for what is left in its tables. */
export type Fact =
  /** An application made a call. */
  | { readonly type: "call"; readonly call: number; readonly process: string; readonly plan: CallPlan }
  /** The application has the end of its call: as the reader saw it, and as `ended` told it. */
  | {
      readonly type: "ended";
      readonly call: number;
      readonly outcome: Outcome;
      readonly told: Outcome;
      readonly message?: string | undefined;
    }
  /** The sink told the caller's context the end. */
  | { readonly type: "told"; readonly call: number; readonly how: "end" | "fail" | "respond"; readonly isOver: boolean }
  /** The application took a response: of which run, and the how-manieth that this one gave. -1: not as it was given. */
  | {
      readonly type: "taken";
      readonly call: number;
      readonly run: number;
      readonly index: number;
      readonly bytes: number;
    }
  /** A handler started, or handed a response over, or ended its call (or was told that it is over). */
  | {
      readonly type: "run";
      readonly run: number;
      readonly call: number;
      readonly process: string;
      readonly sink: string;
      readonly capacity: number;
      readonly isIntact: boolean;
    }
  | { readonly type: "respond"; readonly run: number; readonly index: number }
  | { readonly type: "refused"; readonly run: number; readonly index: number }
  | { readonly type: "run-over"; readonly run: number }
  /** As many requests of all its sinks are out to a process and unsettled. */
  | { readonly type: "held"; readonly process: string; readonly count: number; readonly capacity: number }
  /** A server put (a piece of) a numbered response on the wire; a response reached a client's inbox whole. */
  | {
      readonly type: "sent";
      readonly call: number;
      readonly process: string;
      /** As the wire tells the runs of one call on one server apart, and the hops over a bridge. */
      readonly wireRun: string;
      /** 0: it has none. */
      readonly sequence: number;
      readonly bytes: number;
      readonly hasFlowControl: boolean;
    }
  | {
      readonly type: "arrived";
      readonly call: number;
      readonly process: string;
      readonly server: string;
      readonly sequence: number | undefined;
    }
  /** A client told a server that it has no use for a call: what still comes is dropped. */
  | { readonly type: "given-up"; readonly call: number }
  /** Something broke that this call hung on. */
  | { readonly type: "harm"; readonly call: number; readonly why: string }
  /** A caller or a server ended without a farewell: nothing of it is to be expected any more. */
  | { readonly type: "died"; readonly process: string }
  /** Everything was over, and still: */
  | { readonly type: "left"; readonly process: string; readonly table: string; readonly count: number }
  | { readonly type: "unsettled"; readonly process: string; readonly promise: string };

export type FactOf<Type extends Fact["type"]> = Extract<Fact, { readonly type: Type }>;

/** A fact and when it was noted. */
export interface Entry {
  readonly atMs: number;
  readonly fact: Fact;
}

/** Something that must not be. */
export interface Violation {
  readonly invariant: string;
  readonly atMs: number;
  readonly text: string;
}
