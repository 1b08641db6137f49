import type { WireMessage } from "../../driver/driver.js";
import type { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import { Ring } from "../../util/ring.js";
import type { CoreContext } from "../core-context.js";
import { FrameLink } from "./frame-link.js";
import { FRAME_HEADER, type FrameParts, toFrame } from "./frames.js";

/** Last words that wait for a link with room. Each stands for a call that has ended, so there are never many. */
const MAX_UNSENT = 10_000;

/** The headers are the sender's to add to. */
export interface ReplyParts extends Omit<FrameParts, "timestamp"> {
  readonly headers: Record<string, string>;
}

interface Unsent {
  readonly inbox: string;
  readonly frame: WireMessage;
}

/** Sends the frames of one server to its clients' inboxes. */
export class ReplySender {
  readonly nodeId: NodeId;
  readonly frames: FrameLink;
  readonly #context: CoreContext;
  readonly #sink: string;
  readonly #unsent = new Ring<Unsent>();

  /** `onRefused`: a frame that the broker does not take; the others are fine. */
  constructor(
    context: CoreContext,
    sink: string,
    onRoom: () => void,
    onRefused: (frame: WireMessage, error: MessagingError) => void,
  ) {
    this.#context = context;
    this.#sink = sink;
    this.nodeId = context.nodeId;
    this.frames = new FrameLink(context.connection, onRoom, (frame, error) => {
      const refusal = context.driver.toMessagingError(error);
      const reason = `a ${frame.type} was refused: ${refusal.message}`;
      context.observe({ type: "discarded", source: sink, reason, messageId: frame.messageId });
      onRefused(frame, refusal);
    });
  }

  get unsent(): number {
    return this.#unsent.size;
  }

  /** False: there is no link. */
  send(inbox: string, parts: ReplyParts): boolean {
    return this.frames.send({ kind: "inbox", address: inbox }, this.#toFrame(parts));
  }

  /** The last frame of a call: without a link that has room it waits for one. */
  sendLast(inbox: string, parts: ReplyParts): void {
    const unsent = { inbox, frame: this.#toFrame(parts) };
    if (this.#unsent.size === 0 && this.frames.hasRoom && this.#handOver(unsent)) return;
    if (this.#unsent.size < MAX_UNSENT) this.#unsent.push(unsent);
    else {
      const { observe } = this.#context;
      observe({
        type: "discarded",
        source: this.#sink,
        reason: "too many wait for a link with room",
        messageId: unsent.frame.messageId,
      });
    }
  }

  /** There is a link again, or room on it. */
  flush(): void {
    for (let unsent = this.#unsent.peek(); unsent !== undefined && this.frames.hasRoom; unsent = this.#unsent.peek()) {
      if (!this.#handOver(unsent)) return;
      this.#unsent.shift();
    }
  }

  /** Nobody comes after: what waits is handed over, room or not, if there is a link. */
  close(): void {
    for (let unsent = this.#unsent.shift(); unsent !== undefined; unsent = this.#unsent.shift()) this.#handOver(unsent);
  }

  #handOver({ inbox, frame }: Unsent): boolean {
    return this.frames.send({ kind: "inbox", address: inbox }, frame);
  }

  /** Says who sends, and whom to answer. */
  #toFrame({ messageId, type, correlationId, headers, contentType, body }: ReplyParts): WireMessage {
    headers[FRAME_HEADER.node] = this.nodeId;
    const timestamp = this.#context.clock.now();
    return toFrame({ messageId, type, correlationId, headers, replyTo: this.#sink, contentType, body, timestamp });
  }
}
