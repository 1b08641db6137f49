import type { NodeId } from "../../ports/broadcast.js";
import type { InboxLife } from "./client-inbox.js";
import type { ClosingMarks } from "./closing-marks.js";
import type { ControlSender } from "./control-sender.js";
import type { FrameLink } from "./frame-link.js";
import type { OutgoingRequest } from "./outgoing-request.js";
import type { SharedTimers } from "./shared-timers.js";

/** A call, as its client knows it. */
export interface HostedCall {
  readonly request: OutgoingRequest;
  /** The inbox that it is answered in. */
  readonly life: InboxLife | undefined;
}

/** What a call from here needs of the client that it belongs to. */
export interface CallHost {
  readonly clientId: string;
  readonly controls: ControlSender;
  readonly closings: ClosingMarks;
  readonly frames: FrameLink;
  readonly timers: SharedTimers;
  /** The call is over. */
  remove(call: HostedCall): void;
  /** Tells a node that does not answer this call that it should stop. */
  answerAbort(sink: string, id: string, node: NodeId): void;
  setUploading(call: HostedCall, isUploading: boolean): void;
  /** It waits for an inbox, or for the answer to its Resume. */
  setResuming(call: HostedCall, isResuming: boolean): void;
  /** The call has timed out without any sign of life. */
  probe(life: InboxLife): void;
}
