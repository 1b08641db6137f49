import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { NodeId } from "../../ports/broadcast.js";
import { RECONNECT } from "../managed-connection.js";
import type { AnsweringNode } from "./answering-node.js";
import type { CallHost, HostedCall } from "./call-host.js";
import type { InboxLife } from "./client-inbox.js";
import type { ResumeSource } from "./control-sender.js";
import { FRAME_HEADER, numberIn } from "./frames.js";
import type { IncomingResponses } from "./incoming-responses.js";
import type { LifeWatch } from "./life-watch.js";
import { Alarm } from "./shared-timers.js";

/** How often a server that has not said so is taken to name its calls. */
const INTERVAL_MS = 1_000;
/** What has cut one end off has mostly cut off the other: it, too, comes back after its longest back-off, or sooner. */
const COMEBACK_MS = RECONNECT.maxMs + 1_000;

export interface ResumptionParts {
  readonly call: HostedCall;
  readonly calls: CallHost;
  readonly server: AnsweringNode;
  readonly responses: IncomingResponses;
  readonly watch: LifeWatch;
}

/** How one call is taken up again: its Resume, repeated until it is answered, and what counts as an answer. */
export class Resumption extends Alarm implements ResumeSource {
  readonly #parts: ResumptionParts;
  #number = 0;
  /** The node that the number is for. */
  #node: NodeId | undefined;
  #state: "answered" | "unanswered" | "without-inbox" = "answered";
  /** Where to be answered. */
  #inbox: InboxLife | undefined;
  /** How far the call had come at the last gap. */
  #gapAt: number | undefined;
  /** What it waits for is what a gap has taken, and nothing else. */
  #isForGap = false;
  /** The inbox that the request named is gone: nobody but who has heard of another can answer. */
  hasMoved = false;

  constructor(parts: ResumptionParts) {
    super();
    this.#parts = parts;
  }

  get isUnanswered(): boolean {
    return this.#state === "unanswered";
  }

  get resume(): ResumeSource["resume"] {
    const { call, server, responses } = this.#parts;
    const node = this.#node;
    if (node === undefined || this.#inbox === undefined || !this.isUnanswered) return undefined;
    const { id, sink } = call.request;
    const { completed, consumed, grantedUpTo } = responses;
    const { address: inbox } = this.#inbox;
    const { run } = server;
    return { sink, id, node, number: this.#number, inbox, received: completed, consumed, grantedUpTo, run };
  }

  /** The inbox is gone. There is nobody to be asked to answer until there is another. */
  suspend(): void {
    const { call, calls, watch } = this.#parts;
    calls.timers.clear(this);
    watch.cancel();
    this.hasMoved = true;
    // The answer may have been lost with the inbox.
    if (this.isUnanswered) this.#gapAt = undefined;
    this.#state = "without-inbox";
    this.#isForGap = false;
    calls.setResuming(call, true);
  }

  /** There is an inbox again. */
  resumeIn(life: InboxLife): void {
    if (this.#state === "without-inbox") this.#begin(life);
  }

  /** Something is missing. False: it was asked for already, and has not come; or there is nobody to ask. */
  resumeAfterGap(): boolean {
    const { call, responses } = this.#parts;
    if (this.#state !== "answered") return true;
    if (this.#gapAt === responses.completed || call.life === undefined) return false;
    this.#gapAt = responses.completed;
    this.#isForGap = true;
    this.#begin(call.life);
    return true;
  }

  /** Whether a frame of the call counts: it must come after the last Resume was heard. The first such answers it. */
  admits({ headers }: WireMessage): boolean {
    if (this.#state === "without-inbox") return false;
    // It has not been asked for anything.
    if (headers[FRAME_HEADER.node] !== this.#node) return true;
    const number = numberIn(headers, FRAME_HEADER.resume) ?? 0;
    if (number !== this.#number) return false;
    if (this.isUnanswered) this.end();
    return true;
  }

  /** The call runs there: what another node was asked for is of no matter any more. */
  runsAt(node: NodeId): void {
    if (node !== this.#node) this.drop();
  }

  /** Nothing is asked for any more, and nothing was. */
  drop(): void {
    this.end();
    this.#gapAt = undefined;
  }

  /** The server has not spoken for too long: what that means for the call. */
  silentError(): MessagingError {
    const isLost = this.isUnanswered && this.#isForGap;
    return isLost
      ? new MessagingError("DATA_LOSS", "the server does not send again what was lost")
      : new MessagingError("UNAVAILABLE", "the server that ran the call has fallen silent");
  }

  /** It was answered, or the call is over. */
  end(): void {
    if (this.#state === "answered") return;
    const { call, calls } = this.#parts;
    calls.timers.clear(this);
    calls.controls.forgetResume(this);
    calls.setResuming(call, false);
    this.#state = "answered";
    this.#isForGap = false;
  }

  ring(): void {
    this.#send();
  }

  #begin(inbox: InboxLife): void {
    const { call, calls, server, watch } = this.#parts;
    this.#number += 1;
    this.#node = server.last;
    this.#state = "unanswered";
    this.#inbox = inbox;
    calls.setResuming(call, true);
    // Whoever is asked has so long to answer as it has to name its calls; and to come back, if it may be away, too.
    watch.sign(watch.intervalMs ?? INTERVAL_MS, this.#isForGap ? 0 : COMEBACK_MS);
    this.#send();
  }

  #send(): void {
    const { calls, watch } = this.#parts;
    calls.timers.set(this, calls.timers.now() + Math.max(1, (watch.intervalMs ?? INTERVAL_MS) / 2));
    calls.controls.resume(this);
  }
}
