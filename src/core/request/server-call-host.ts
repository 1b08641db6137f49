import type { MessagingError } from "../../errors/messaging-error.js";
import type { CutCalls } from "./cut-calls.js";
import type { Waiting } from "./ended-call.js";
import type { HeldBack } from "./held-back.js";
import type { ReplySender } from "./reply-sender.js";
import type { Retention } from "./retention.js";
import type { SharedTimers } from "./shared-timers.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** What the calls of one server share. */
export interface ServerCallHost<Call> {
  readonly options: ResolvedServeOptions;
  readonly clock: SharedTimers;
  readonly replies: ReplySender;
  readonly retention: Retention;
  /** Calls that wait for room on the link put themselves here. */
  readonly waiting: Set<Waiting>;
  /** Calls whose response waits for their end put themselves here. */
  readonly heldBack: HeldBack;
  /** Calls whose caller has no inbox put themselves here. */
  readonly cut: CutCalls;
  /** Called once, when the call is over. `isForced`: not by its sink. */
  onOver(call: Call, error: MessagingError | undefined, isForced: boolean): void;
}
