import type { ErrorCode } from "../../src/errors/messaging-error.js";
import type { Priority } from "../../src/ports/message.js";
import type { ProtocolVersion } from "../../src/ports/request-sink.js";
import type { Weather } from "./weather.js";

/** What a handler does with its call. */
export interface HandlerPlan {
  readonly responses: number;
  readonly maxResponseBytes: number;
  /** Before each response and before the end: up to so long. */
  readonly maxPauseMs: number;
  /** `generator`: `sinkOf`. `context`: the bare context; `unawaited`: the same, and no `respond` is waited for. */
  readonly style: "generator" | "context" | "unawaited";
  /** Asked for before each pause. */
  readonly keepAliveMs: number | undefined;
  /**
   * `late`: responds and ends again after the end. `throw`: of what is no MessagingError. `throw-at-once`: out of
   * `signal` itself. `hang`: never ends, and heeds no signal.
   */
  readonly ending: "end" | "late" | "throw" | "throw-at-once" | "fail" | "hang";
  readonly failsWith: ErrorCode;
}

/** What the application does with the responses. */
export interface ReaderPlan {
  /** `pause`: stops once, and reads on. `stop`: never reads on. `leave`: leaves the loop. */
  readonly kind: "eager" | "slow" | "batch" | "pause" | "stop" | "leave";
  /** Responses before it pauses, stops or leaves; the size of a batch. */
  readonly after: number;
  readonly maxPauseMs: number;
}

export interface CallPlan {
  readonly number: number;
  readonly client: number;
  readonly sink: string;
  readonly startMs: number;
  readonly kind: "stream" | "one" | "one-way";
  /** The caller's own name for it, which others may use too. */
  readonly callId: string | undefined;
  readonly timeoutMs: number;
  /** There is time for everything that can come in between. */
  readonly isGenerous: boolean;
  readonly window: number | undefined;
  readonly windowBytes: number | undefined;
  readonly stallMs: number;
  readonly priority: Priority;
  readonly idempotent: boolean;
  readonly allowKeepAlive: boolean;
  readonly requestBytes: number;
  readonly handler: HandlerPlan;
  readonly reader: ReaderPlan;
  /** Gives the call up so long after its start. */
  readonly abort: { readonly afterMs: number; readonly by: "signal" | "stream" } | undefined;
  /** Whether the sink's promises to the caller's context are watched too. */
  readonly isWatched: boolean;
}

export interface ServerPlan {
  readonly protocolVersion: ProtocolVersion;
  readonly concurrency: Readonly<Record<Priority, number>>;
  readonly keepAliveMs: number;
  readonly stallMs: number;
  readonly settleAfterMs: number;
  readonly fragmentBytes: number;
  /** Undefined: what is the default. */
  readonly resumeMs: number | undefined;
  readonly maxRetainedBytes: number | undefined;
}

export interface ClientPlan {
  readonly protocolVersion: ProtocolVersion | "auto";
  readonly fragmentBytes: number;
}

export type FaultKind =
  | "lose-connection"
  | "lose-inbox"
  | "lose-consumer"
  | "lose-subscription"
  | "lose-frames"
  | "freeze"
  | "block-broker"
  | "kill"
  | "close";

export interface FaultPlan {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly target: { readonly role: "client" | "server"; readonly index: number };
  /** How long it lasts, or until the process is started again. */
  readonly durationMs: number;
  /** For `lose-frames`: of what comes to the inbox so many are spared, and then so many are lost. */
  readonly spared: number;
  readonly lost: number;
  /** The first response that is so lost is lost again whenever it comes. */
  readonly isStubborn: boolean;
  /** Until the application notices that something is gone. */
  readonly noticedAfterMs: number;
  /** For `close`. */
  readonly drainMs: number;
}

/** A sink that is another sink. */
export const BRIDGE = "bridge";

/** One seed's story. */
export interface Plan {
  readonly seed: number;
  readonly profile: string;
  readonly weather: Weather;
  /** All of them are served by each server. */
  readonly sinks: readonly string[];
  /** Every call takes two hops: each server passes what is sent to the `BRIDGE` on to the first sink. */
  readonly isBridged: boolean;
  readonly servers: readonly ServerPlan[];
  readonly clients: readonly ClientPlan[];
  readonly calls: readonly CallPlan[];
  readonly faults: readonly FaultPlan[];
}
