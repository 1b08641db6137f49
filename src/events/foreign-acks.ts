import type { NodeId } from "../ports/broadcast.js";
import type { Inspection } from "../ports/inspection.js";
import type { Observer } from "../ports/observer.js";
import { type AckOutcome, toAckOutcome } from "./ack-outcome.js";
import { type AckTokenParts, parseAckToken } from "./ack-token.js";
import type { DoneEvents } from "./done-events.js";
import type { Enquiries } from "./enquiries.js";
import type { EventTally } from "./event-counts.js";
import { identityOf, MARK_HEADER } from "./event-mark.js";

export interface ForeignAcksOptions {
  readonly nodeId: NodeId;
  readonly queue: string;
  /** Where it is known and sees everything: a store that can be told that an event is done. */
  readonly store: Inspection | undefined;
  readonly enquiries: Enquiries;
  readonly done: DoneEvents;
  readonly tally: EventTally;
  readonly observe: Observer;
  readonly forwardIntervalMs: number;
  readonly forwardTimeoutMs: number;
  /** Settles the event if it is on this server: whether that reached the broker. Undefined: it is not here. */
  settleHere(identity: string): Promise<boolean> | undefined;
}

/** Acks of events that another server delivered, or this one before it was started anew. */
export class ForeignAcks {
  readonly #options: ForeignAcksOptions;

  constructor(options: ForeignAcksOptions) {
    this.#options = options;
  }

  /** Always resolves, in bounded time. */
  async ack(token: string, success: boolean): Promise<AckOutcome> {
    const { enquiries, nodeId: from, store, tally, forwardIntervalMs, forwardTimeoutMs } = this.#options;
    const parts = parseAckToken(token);
    if (parts === undefined) return "unknown";
    // A store can be told at once; only a server that shares it with this one, in one process, would answer.
    const limitMs = store === undefined ? forwardTimeoutMs : Math.min(forwardIntervalMs, forwardTimeoutMs);
    const answer = await enquiries.ask((id) => ({ kind: "ack", id, from, token, success }), {
      node: parts.nodeId,
      limitMs,
    });
    if (answer !== undefined) {
      tally.forwardedAcks += 1;
      return toAckOutcome(answer);
    }
    return (await this.#settleWithout(parts, success)) ? "acked" : this.#unresolved();
  }

  /** Nobody answers for the attempt. A failure is none to act upon: the event comes again in any case. */
  async #settleWithout(event: AckTokenParts, success: boolean): Promise<boolean> {
    const { done, queue, store, tally, settleHere } = this.#options;
    const identity = identityOf(event.messageId, event.mark);
    // What has no mark may be another event of the same id: rather once more than never.
    if (!success || identity === undefined) return false;
    // First, so that wherever it is handed out from now on it is not sent.
    done.add(identity);
    const here = settleHere(identity);
    const isSettled = store !== undefined && (await (here ?? isRemoved(store, queue, event)));
    // After the store: a server that hears of it settles what it has, and the store would have nothing left to say so.
    done.announce(identity);
    if (isSettled) tally.recoveredAcks += 1;
    return isSettled;
  }

  #unresolved(): AckOutcome {
    const { observe, tally } = this.#options;
    tally.unresolvedAcks += 1;
    observe({ type: "event-ack-ignored", reason: "unresolved" });
    return "unresolved";
  }
}

async function isRemoved(store: Inspection, queue: string, { messageId, mark }: AckTokenParts): Promise<boolean> {
  try {
    const headers = { [MARK_HEADER]: mark };
    const selection = { messageIds: [messageId], headers, limit: 1, states: ["available", "in-processing"] } as const;
    return (await store.remove(queue, selection, "processed")) > 0;
  } catch {
    return false;
  }
}
