import type { Cancel, Clock } from "../ports/clock.js";
import type { Delivery, Settlement } from "../ports/message.js";
import { type Deferred, deferred } from "../util/deferred.js";
import type { DeliveredEvent, StoredEvent } from "./event.js";

/** Who has an event, seen from the event. */
export interface EventHolder {
  readonly clientId: string;
  take(event: TrackedEvent): void;
  giveBack(event: TrackedEvent): void;
}

/** An event that is here, from the queue's delivery to its settlement: it waits, or one subscriber has it. */
export class TrackedEvent {
  readonly delivery: Delivery<Uint8Array>;
  readonly #event: StoredEvent;
  readonly #clock: Clock;
  readonly #settlement: Deferred<Settlement> = deferred();
  #cancelTimer: Cancel = () => {};
  #holder: EventHolder | undefined;
  #token = "";

  constructor(delivery: Delivery<Uint8Array>, event: StoredEvent, clock: Clock) {
    this.delivery = delivery;
    this.#event = event;
    this.#clock = clock;
  }

  /** Resolves with what the queue is to be told. */
  get settlement(): Promise<Settlement> {
    return this.#settlement.promise;
  }

  get isOver(): boolean {
    return this.#settlement.settled;
  }

  get holder(): EventHolder | undefined {
    return this.#holder;
  }

  /** Of the attempt that is on. */
  get token(): string {
    return this.#token;
  }

  /** Waits for a subscriber, at most so long. */
  wait(limitMs: number, onLimit: () => void): void {
    this.#setTimer(limitMs, onLimit);
  }

  /** Begins an attempt. */
  handTo(holder: EventHolder, token: string, ackTimeoutMs: number, onTimeout: () => void): DeliveredEvent {
    this.#holder = holder;
    this.#token = token;
    holder.take(this);
    this.#setTimer(ackTimeoutMs, onTimeout);
    return { ...this.#event, ackToken: token, attempt: this.delivery.attempt };
  }

  /** Ends the attempt; the event is nobody's. */
  takeBack(): void {
    this.#cancelTimer();
    const holder = this.#holder;
    this.#holder = undefined;
    holder?.giveBack(this);
  }

  end(settlement: Settlement): void {
    this.takeBack();
    this.#settlement.resolve(settlement);
  }

  #setTimer(ms: number, action: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#clock.setTimer(ms, action);
  }
}
