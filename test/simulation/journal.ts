import type { Priority } from "../../src/ports/message.js";
import type { CallPlan, FaultKind } from "./plan.js";

/** How many calls a sink may run at a server. */
export type Concurrency = Readonly<Record<Priority, number>>;

/** What broke, and where: at this server, or at the caller's side. */
export interface Harm {
  readonly kind: FaultKind | "unsupported";
  readonly server?: string | undefined;
  /** It had no time to part in peace. */
  readonly isForced?: boolean | undefined;
}

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
  /** The call itself is over, whether its responses have been read or not: `ended` has told it. */
  | {
      readonly type: "settled";
      readonly call: number;
      readonly outcome: Outcome;
      readonly message?: string | undefined;
    }
  /** Its application has given the call up. */
  | { readonly type: "aborted"; readonly call: number }
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
      readonly lane: Priority;
      readonly concurrency: Concurrency;
      readonly stallMs: number;
      readonly resumeMs: number;
      /** It keeps all that the window allows. */
      readonly keepsAll: boolean;
      readonly isUploaded: boolean;
      readonly isIntact: boolean;
    }
  | { readonly type: "respond"; readonly run: number; readonly index: number }
  | { readonly type: "refused"; readonly run: number; readonly index: number }
  /** The server wants another. */
  | { readonly type: "accepted"; readonly run: number }
  /** A handler asked for time. */
  | { readonly type: "kept"; readonly run: number; readonly ms: number }
  | { readonly type: "run-over"; readonly run: number }
  /** As many requests of one sink are out to a process and unsettled: in this lane, and in all. */
  | {
      readonly type: "held";
      readonly process: string;
      readonly sink: string;
      readonly lane: Priority;
      readonly count: number;
      readonly sum: number;
      readonly concurrency: Concurrency;
    }
  /** A server let the broker forget a request: nobody else will get it. */
  | { readonly type: "acked"; readonly call: number; readonly process: string }
  /** A request was put on the wire, to be answered in this inbox. */
  | {
      readonly type: "requested";
      readonly call: number;
      readonly process: string;
      readonly inbox: string;
      readonly isUpload: boolean;
    }
  /** So was a piece of its body. */
  | { readonly type: "uploaded"; readonly call: number }
  /** A process was told that an inbox of its is gone. */
  | { readonly type: "inbox-gone"; readonly process: string; readonly inbox: string }
  /** It has an inbox that is live. */
  | { readonly type: "inbox-live"; readonly process: string; readonly inbox: string }
  /** A frame of a call, or an Alive that names it, was lost on its way to whoever made it. */
  | { readonly type: "frame-lost"; readonly call: number; readonly isAlive: boolean }
  /** Whoever made a call asked its server to go on, in this inbox. */
  | {
      readonly type: "resumed";
      readonly call: number;
      readonly process: string;
      readonly inbox: string;
      readonly counter: number;
      readonly received: number;
    }
  /** A server heard it, and has room for an answer within this time. */
  | {
      readonly type: "resume-heard";
      readonly call: number;
      readonly process: string;
      readonly counter: number;
      readonly roomMs: number;
    }
  /** A server put a frame on the wire that answers it. */
  | {
      readonly type: "answered";
      readonly call: number;
      readonly process: string;
      readonly counter: number;
      readonly isError: boolean;
    }
  /** What a server keeps of what it has sent, so that it can be sent again. */
  | { readonly type: "retained"; readonly process: string; readonly bytes: number; readonly maxBytes: number }
  /** A server put (a piece of) a response on the wire. */
  | {
      readonly type: "sent";
      readonly call: number;
      readonly process: string;
      /** As the wire tells the runs of one call on one server apart, and the hops over a bridge. */
      readonly wireRun: string;
      /** 0: it has none. */
      readonly sequence: number;
      /** Of a response in pieces. */
      readonly piece: number | undefined;
      readonly bytes: number;
      readonly hasFlowControl: boolean;
    }
  /** A frame of a call reached the inbox of whoever made it. */
  | {
      readonly type: "arrived";
      readonly call: number;
      readonly process: string;
      readonly server: string;
      readonly frame: string;
      readonly version: string;
      /** Of the Resume that it answers, and all later frames with it. 0: none was heard. */
      readonly counter: number;
      readonly run: string | undefined;
      readonly bytes: number;
      readonly sequence: number | undefined;
      readonly piece: number | undefined;
      readonly pieces: number | undefined;
      readonly total: number | undefined;
      readonly aliveMs: number | undefined;
      readonly extendMs: number | undefined;
      readonly isRefusal: boolean;
    }
  /** An Alive that names a call reached the inbox of whoever made it. */
  | {
      readonly type: "alive";
      readonly call: number;
      readonly process: string;
      readonly server: string;
      readonly intervalMs: number;
      readonly sequence: number;
      /** The end has been sent. */
      readonly isOver: boolean;
    }
  /** A server heard from whoever made a call, or passed it on, what was taken of it. */
  | {
      readonly type: "credited";
      readonly call: number;
      readonly process: string;
      readonly client: string;
      readonly consumed: number;
    }
  /** A client told a server that it has no use for a call: what still comes is dropped. */
  | { readonly type: "given-up"; readonly call: number }
  /** Something broke that this call hung on. */
  | { readonly type: "harm"; readonly call: number; readonly harm: Harm }
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
