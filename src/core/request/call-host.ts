import type { NodeId } from "../../ports/broadcast.js";
import type { InboxLife } from "./client-inbox.js";
import type { ControlSender } from "./control-sender.js";
import type { FrameLink } from "./frame-link.js";
import type { SharedTimers } from "./shared-timers.js";

/** A call, as its client knows it. */
export interface HostedCall {
  readonly id: string;
  readonly sink: string;
  readonly callId: string;
  /** Among the live calls of its client and sink. */
  readonly name: string;
  readonly isOneWay: boolean;
  /** The inbox that it is answered in. */
  readonly life: InboxLife | undefined;
}

/** What a call from here needs of the client that it belongs to. */
export interface CallHost {
  readonly clientId: string;
  readonly controls: ControlSender;
  readonly frames: FrameLink;
  readonly timers: SharedTimers;
  /** The call is over. */
  remove(call: HostedCall): void;
  /** Tells a node that does not answer this call that it should stop. */
  answerAbort(sink: string, id: string, node: NodeId): void;
  setUploading(call: HostedCall, isUploading: boolean): void;
  /** The call has timed out without any sign of life. */
  probe(life: InboxLife): void;
}
