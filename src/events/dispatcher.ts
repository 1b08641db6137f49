import { onDeliveryAborted } from "../core/on-delivery-aborted.js";
import type { SharedTimers } from "../core/request/shared-timers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Random } from "../ports/clock.js";
import type { Delivery, Settlement } from "../ports/message.js";
import type { Observer } from "../ports/observer.js";
import { errorText } from "../util/error-text.js";
import type { AckOutcome } from "./ack-outcome.js";
import { AckTokens } from "./ack-tokens.js";
import type { DoneEvents } from "./done-events.js";
import type { DeliveredEvent } from "./event.js";
import type { EventTally } from "./event-counts.js";
import { identityOf, markOf } from "./event-mark.js";
import { toStoredEvent } from "./event-message.js";
import { RetryPolicy } from "./retry-policy.js";
import type { Leaving, Subscriber } from "./subscriber.js";
import type { Subscribers } from "./subscribers.js";
import { type EventKeeper, TrackedEvent } from "./tracked-event.js";
import { TrackedEvents } from "./tracked-events.js";

export interface DispatcherOptions {
  readonly subscribers: Subscribers;
  readonly tally: EventTally;
  readonly done: DoneEvents;
  readonly timers: SharedTimers;
  readonly random: Random;
  readonly nodeId: NodeId;
  readonly queue: string;
  readonly observe: Observer;
  readonly ackTimeoutMs: number;
  readonly settleTimeoutMs: number;
  readonly retryScheduleMs: readonly number[];
  readonly lossesPerStep: number;
  readonly deadLetters: boolean;
  /** Acknowledges an event that another server delivered, or this one before it was started anew. Must not reject. */
  ackElsewhere(token: string, success: boolean): Promise<AckOutcome>;
}

/**
 * Brings what the queue delivers to the subscribers, each event to one of them, and waits for its ack. Holds no more
 * than the consumer's concurrency lets in.
 */
export class Dispatcher implements EventKeeper {
  readonly #options: DispatcherOptions;
  readonly #tokens: AckTokens<TrackedEvent>;
  readonly #retries: RetryPolicy;
  readonly #tracked = new TrackedEvents();
  readonly #waiting = new Set<TrackedEvent>();
  #handOvers = 0;
  #isPumping = false;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#tokens = new AckTokens(options.nodeId, options.queue, options.random);
    const { timers: clock, random, deadLetters, lossesPerStep, retryScheduleMs: scheduleMs } = options;
    this.#retries = new RetryPolicy({ clock, random, scheduleMs, lossesPerStep, deadLetters });
  }

  get outstanding(): number {
    return this.#tokens.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The consumer's handler. Always resolves, at the latest when the delivery's signal aborts. */
  handle(delivery: Delivery<Uint8Array>): Promise<Settlement> {
    const { done, tally, timers } = this.#options;
    if (done.has(identityOf(delivery.messageId, markOf(delivery.headers)))) {
      tally.settledUnsent += 1;
      return Promise.resolve("ack");
    }
    let tracked: TrackedEvent;
    try {
      tracked = new TrackedEvent(delivery, toStoredEvent(delivery), timers, this);
    } catch (error) {
      tally.deadLettered += 1;
      return Promise.resolve({ deadLetter: errorText(error) });
    }
    this.#tracked.add(tracked);
    onDeliveryAborted(delivery, () => this.#withdraw(tracked));
    if (!tracked.isOver) this.#place(tracked);
    return tracked.settlement;
  }

  /** Resolves always. A success is answered once the broker knows of it, in bounded time. */
  async ack(token: string, success: boolean): Promise<AckOutcome> {
    const { ackElsewhere, tally } = this.#options;
    const tracked = this.#tokens.holder(token);
    if (tracked === undefined) {
      const reason = this.#tokens.judge(token);
      return reason === "elsewhere" ? ackElsewhere(token, success) : this.#ignore(reason);
    }
    if (!success) {
      tally.nacked += 1;
      this.#fail(tracked, "nack", "repeated");
      return "nacked";
    }
    tracked.holder?.onAcked(tracked.heldForMs);
    this.#tokens.retire(token, "repeated");
    if (!(await this.#complete(tracked))) {
      tally.unconfirmedAcks += 1;
      return "unconfirmed";
    }
    tally.acked += 1;
    return "acked";
  }

  /** Whether this service gave the token. */
  gave(token: string): boolean {
    return this.#tokens.isOurs(token);
  }

  /**
   * The event is done, whoever has it: resolves true once the broker knows of that, false when it does not in time.
   * Undefined: it is not here.
   */
  settleDone(identity: string): Promise<boolean> | undefined {
    const { tally } = this.#options;
    const here = this.#tracked.of(identity);
    if (here.length === 0) return undefined;
    // All of them before the first is settled, which makes room for the next one that waits.
    for (const tracked of here) {
      if (tracked.holder === undefined) tally.settledUnsent += 1;
      else tally.settledHeld += 1;
      this.#tokens.retire(tracked.token, "late");
      this.#waiting.delete(tracked);
    }
    const all = here.map((tracked) => this.#complete(tracked));
    return Promise.all(all).then((reached) => !reached.includes(false));
  }

  /** There is a new subscriber, or room with an old one. */
  pump(): void {
    // What a sink does while it is handed an event may lead here again; whoever is at it already goes on.
    if (this.#isPumping || this.#waiting.size === 0) return;
    this.#isPumping = true;
    try {
      for (const tracked of this.#waiting) {
        const subscriber = this.#options.subscribers.pick();
        if (subscriber === undefined) return;
        this.#waiting.delete(tracked);
        this.#handOver(tracked, subscriber);
      }
    } finally {
      this.#isPumping = false;
    }
  }

  /** Passes on what the subscriber held, once it is no longer picked. */
  takeFrom(subscriber: Subscriber, how: Leaving): void {
    const { tally } = this.#options;
    const isLoss = how === "gone" || how === "replaced";
    for (const tracked of [...subscriber.outstanding]) {
      this.#tokens.retire(tracked.token, "late");
      if (isLoss) tally.lost += 1;
      const { messageId, attempt } = tracked.delivery;
      const failure = isLoss ? this.#retries.lost(messageId, attempt) : undefined;
      if (failure !== undefined) {
        this.#endFailed(tracked, failure.reason, failure.settlement);
      } else {
        tracked.takeBack();
        this.#place(tracked);
      }
    }
  }

  /** With nobody to take them, events that wait go back to the queue. */
  releaseWaiting(): void {
    for (const tracked of [...this.#waiting]) this.#release(tracked);
  }

  /** From now on nothing is handed over; what subscribers hold may still be acknowledged. */
  stop(): void {
    this.#stopped = true;
    this.releaseWaiting();
  }

  onWaitOver(tracked: TrackedEvent): void {
    this.#release(tracked);
  }

  onAckOverdue(tracked: TrackedEvent): void {
    const { ackTimeoutMs, tally } = this.#options;
    tally.timedOut += 1;
    tracked.holder?.onTimedOut();
    this.#fail(tracked, `no ack within ${ackTimeoutMs} ms`, "late");
  }

  #ignore(reason: "late" | "repeated" | "unknown"): AckOutcome {
    const { observe, tally } = this.#options;
    if (reason === "late") tally.lateAcks += 1;
    else if (reason === "repeated") tally.repeatedAcks += 1;
    else tally.unknownAcks += 1;
    observe({ type: "event-ack-ignored", reason });
    return reason;
  }

  /** Settles it as done, and resolves with whether that reached the broker in time. */
  async #complete(tracked: TrackedEvent): Promise<boolean> {
    this.#end(tracked, "ack");
    const reached = await tracked.reached(this.#options.settleTimeoutMs);
    if (reached) this.#retries.done(tracked.delivery.messageId);
    return reached;
  }

  #place(tracked: TrackedEvent): void {
    const { ackTimeoutMs, subscribers } = this.#options;
    const subscriber = subscribers.pick();
    if (this.#stopped || subscribers.open === 0) {
      this.#release(tracked);
    } else if (subscriber !== undefined) {
      this.#handOver(tracked, subscriber);
    } else {
      this.#waiting.add(tracked);
      // Subscribers that take nothing must not keep an event from those of another server.
      tracked.wait(ackTimeoutMs);
    }
  }

  #handOver(tracked: TrackedEvent, subscriber: Subscriber): void {
    const { ackTimeoutMs, tally } = this.#options;
    const token = this.#tokens.issue(tracked, tracked.mark, tracked.delivery.messageId);
    const event = tracked.handTo(subscriber, token, ackTimeoutMs);
    this.#handOvers += 1;
    subscriber.lastServed = this.#handOvers;
    tally.delivered += 1;
    // Also of an ack that comes before its sink returns: then there is no room yet.
    subscriber.busy = true;
    const answer = subscriber.deliver(event);
    if (answer !== true) {
      void this.#awaitRoom(tracked, subscriber, event, answer);
      return;
    }
    subscriber.busy = false;
    this.pump();
  }

  async #awaitRoom(
    tracked: TrackedEvent,
    subscriber: Subscriber,
    event: DeliveredEvent,
    answer: boolean | Promise<boolean>,
  ): Promise<void> {
    let isThere = true;
    try {
      isThere = await answer;
    } catch (error) {
      if (tracked.token === event.ackToken && tracked.holder === subscriber) {
        this.#options.tally.refused += 1;
        this.#fail(tracked, `refused: ${errorText(error)}`, "late");
      }
    }
    subscriber.busy = false;
    if (isThere) this.pump();
    else await subscriber.leave("gone", new MessagingError("ABORTED", `the subscriber ${subscriber.clientId} is gone`));
  }

  #fail(tracked: TrackedEvent, reason: string, tokenIs: "late" | "repeated"): void {
    const { messageId, attempt } = tracked.delivery;
    this.#tokens.retire(tracked.token, tokenIs);
    this.#endFailed(tracked, reason, this.#retries.failed(messageId, attempt, reason));
  }

  #endFailed(tracked: TrackedEvent, reason: string, settlement: Settlement): void {
    const { messageId, attempt } = tracked.delivery;
    const clientId = tracked.holder?.clientId ?? "";
    this.#options.observe({ type: "event-attempt-failed", messageId, attempt, clientId, reason });
    this.#end(tracked, settlement);
  }

  #release(tracked: TrackedEvent): void {
    this.#options.tally.released += 1;
    this.#end(tracked, "release");
  }

  /** The delivery is no longer ours: whatever is said of it now is lost, and the broker hands it out again. */
  #withdraw(tracked: TrackedEvent): void {
    if (tracked.isOver) return;
    this.#options.tally.withdrawn += 1;
    this.#tokens.retire(tracked.token, "late");
    this.#end(tracked, "release");
  }

  #end(tracked: TrackedEvent, settlement: Settlement): void {
    if (typeof settlement === "object" && "deadLetter" in settlement) this.#options.tally.deadLettered += 1;
    this.#waiting.delete(tracked);
    this.#tracked.delete(tracked);
    tracked.end(settlement);
    this.pump();
  }
}
