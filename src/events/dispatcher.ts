import { MessagingError } from "../errors/messaging-error.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Clock, Random } from "../ports/clock.js";
import type { Delivery, Settlement } from "../ports/message.js";
import type { Observer } from "../ports/observer.js";
import { onAbort } from "../util/abort.js";
import { errorText } from "../util/error-text.js";
import { AckTokens, type IgnoredAck } from "./ack-tokens.js";
import type { DeliveredEvent } from "./event.js";
import type { EventTally } from "./event-counts.js";
import { toStoredEvent } from "./event-message.js";
import { RetryPolicy } from "./retry-policy.js";
import type { Leaving, Subscriber } from "./subscriber.js";
import type { Subscribers } from "./subscribers.js";
import { TrackedEvent } from "./tracked-event.js";
import { within } from "./within.js";

export interface DispatcherOptions {
  readonly subscribers: Subscribers;
  readonly tally: EventTally;
  readonly clock: Clock;
  readonly random: Random;
  readonly nodeId: NodeId;
  readonly observe: Observer;
  readonly ackTimeoutMs: number;
  readonly settleTimeoutMs: number;
  readonly retryScheduleMs: readonly number[];
  readonly deadLetters: boolean;
}

/** What an ack came to. */
export type AckOutcome = "acked" | "nacked" | "unconfirmed" | IgnoredAck;

/**
 * Brings what the queue delivers to the subscribers, each event to one of them, and waits for its ack. Holds no more
 * than the consumer's concurrency lets in.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #tokens: AckTokens<TrackedEvent>;
  readonly #retries: RetryPolicy;
  readonly #waiting = new Set<TrackedEvent>();
  #handOvers = 0;
  #stopped = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#tokens = new AckTokens(options.nodeId, options.random);
    const { clock, deadLetters, retryScheduleMs: scheduleMs } = options;
    this.#retries = new RetryPolicy({ clock, scheduleMs, deadLetters });
  }

  get outstanding(): number {
    return this.#tokens.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** The consumer's handler. Always resolves, at the latest when the delivery's signal aborts. */
  async handle(delivery: Delivery<Uint8Array>): Promise<Settlement> {
    const { clock, tally } = this.#options;
    let tracked: TrackedEvent;
    try {
      tracked = new TrackedEvent(delivery, toStoredEvent(delivery), clock);
    } catch (error) {
      tally.deadLettered += 1;
      return { deadLetter: errorText(error) };
    }
    const forget = onAbort(delivery.signal, () => this.#withdraw(tracked));
    if (!tracked.isOver) this.#place(tracked);
    const settlement = await tracked.settlement;
    forget();
    return settlement;
  }

  /** Resolves always. A success is answered once the broker knows of it, in bounded time. */
  async ack(token: string, success: boolean): Promise<AckOutcome> {
    const { clock, observe, settleTimeoutMs, tally } = this.#options;
    const found = this.#tokens.find(token);
    if (typeof found === "string") {
      if (found === "late") tally.lateAcks += 1;
      else if (found === "repeated") tally.repeatedAcks += 1;
      else tally.unknownAcks += 1;
      observe({ type: "event-ack-ignored", reason: found });
      return found;
    }
    const { delivery } = found.holder;
    if (!success) {
      tally.nacked += 1;
      this.#fail(found.holder, "nack", "repeated");
      return "nacked";
    }
    this.#tokens.retire(token, "repeated");
    this.#end(found.holder, "ack");
    const reached = await within(clock, settleTimeoutMs, delivery.settled);
    if (reached !== true) {
      tally.unconfirmedAcks += 1;
      return "unconfirmed";
    }
    this.#retries.done(delivery.messageId);
    tally.acked += 1;
    return "acked";
  }

  /** There is a new subscriber, or room with an old one. */
  pump(): void {
    for (const tracked of this.#waiting) {
      const subscriber = this.#options.subscribers.pick();
      if (subscriber === undefined) return;
      this.#waiting.delete(tracked);
      this.#handOver(tracked, subscriber);
    }
  }

  /** Passes on what the subscriber held, once it is no longer picked. */
  takeFrom(subscriber: Subscriber, how: Leaving): void {
    const { tally } = this.#options;
    const isLoss = how === "gone" || how === "replaced";
    for (const tracked of [...subscriber.outstanding]) {
      this.#tokens.retire(tracked.token, "late");
      if (isLoss) tally.lost += 1;
      const failure = isLoss ? this.#retries.lost(tracked.delivery.messageId) : undefined;
      if (failure !== undefined) {
        this.#fail(tracked, failure, "late");
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
      tracked.wait(ackTimeoutMs, () => this.#release(tracked));
    }
  }

  #handOver(tracked: TrackedEvent, subscriber: Subscriber): void {
    const { ackTimeoutMs, tally } = this.#options;
    const token = this.#tokens.issue(tracked);
    const event = tracked.handTo(subscriber, token, ackTimeoutMs, () => {
      tally.timedOut += 1;
      this.#fail(tracked, `no ack within ${ackTimeoutMs} ms`, "late");
    });
    this.#handOvers += 1;
    subscriber.lastServed = this.#handOvers;
    subscriber.busy = true;
    tally.delivered += 1;
    void this.#deliver(tracked, subscriber, event);
  }

  async #deliver(tracked: TrackedEvent, subscriber: Subscriber, event: DeliveredEvent): Promise<void> {
    let isThere = true;
    try {
      isThere = await subscriber.deliver(event);
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
    const { observe } = this.#options;
    const { messageId, attempt } = tracked.delivery;
    const clientId = tracked.holder?.clientId ?? "";
    this.#tokens.retire(tracked.token, tokenIs);
    observe({ type: "event-attempt-failed", messageId, attempt, clientId, reason });
    this.#end(tracked, this.#retries.failed(messageId, attempt, reason));
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
    tracked.end(settlement);
    this.pump();
  }
}
