import { deadLetterHeaders } from "../../src/driver/dead-letter-headers.js";
import type { WireMessage, WireSettlement } from "../../src/driver/driver.js";
import type { Clock } from "../../src/ports/clock.js";
import type { MessageHeaders, Priority } from "../../src/ports/message.js";
import { DueTimes } from "./due-times.js";
import { full } from "./errors.js";
import { Lane } from "./lane.js";
import { type Competitor, Line } from "./line.js";
import { StoredMessage, sizeOf } from "./stored-message.js";
import { type Part, SHARE, type Turns } from "./turns.js";

/** What of the queue's abilities the node that speaks to it has. */
export interface QueueFeatures {
  readonly priority: boolean;
  readonly holdMs?: number | undefined;
  readonly delayedDelivery: boolean;
  readonly expiry: boolean;
}

export interface QueueSurroundings {
  readonly clock: Clock;
  readonly turns: Turns;
  readonly maxQueueMessages: number;
  readonly maxQueueBytes: number;
  /** Puts a message into another queue, whatever that holds. */
  deadLetter(queue: string, message: WireMessage): void;
}

/** How many messages are where. */
export interface QueueCount {
  readonly ready: number;
  /** Not due yet. */
  readonly delayed: number;
  /** Handed out, not settled. */
  readonly unsettled: number;
  readonly bytes: number;
}

const LANE: Readonly<Record<Priority, number>> = { expedite: 0, standard: 1, bulk: 2 };

/** One queue of the broker: every message that it took is in exactly one place until it is settled or expires. */
export class MemoryQueue implements Part {
  readonly name: string;
  /** One line of a queue with lanes: whatever is in it is equal. */
  readonly isLane: boolean;
  deadLetterQueue: string | undefined;
  awake = false;
  readonly #surroundings: QueueSurroundings;
  readonly #lanes: readonly Lane[] = [new Lane(), new Lane(), new Lane()];
  /** All that take from it, and those that have stopped but still hold messages. */
  readonly #competitors = new Set<Competitor>();
  readonly #line = new Line();
  readonly #dueTimes: DueTimes;
  #sequence = 0;
  #ready = 0;
  #delayed = 0;
  #unsettled = 0;
  #bytes = 0;

  constructor(name: string, isLane: boolean, surroundings: QueueSurroundings) {
    this.name = name;
    this.isLane = isLane;
    this.#surroundings = surroundings;
    this.#dueTimes = new DueTimes(surroundings.clock, () => surroundings.turns.wake(this));
  }

  get competitors(): ReadonlySet<Competitor> {
    return this.#competitors;
  }

  get count(): QueueCount {
    return { ready: this.#ready, delayed: this.#delayed, unsettled: this.#unsettled, bytes: this.#bytes };
  }

  /** Takes responsibility for a message. Throws `REJECTED` when the queue is full. */
  publish(message: WireMessage, features: QueueFeatures): void {
    const { maxQueueMessages, maxQueueBytes } = this.#surroundings;
    const held = this.#ready + this.#delayed + this.#unsettled;
    const bytes = sizeOf(message);
    if (held >= maxQueueMessages) throw full(this.name, "maxQueueMessages", maxQueueMessages);
    // An empty queue takes any message, so that each can be taken some time.
    if (held > 0 && this.#bytes + bytes > maxQueueBytes) throw full(this.name, "maxQueueBytes", maxQueueBytes);
    const lane = features.priority && !this.isLane ? LANE[message.priority ?? "standard"] : LANE.standard;
    const delayMs = features.delayedDelivery ? (message.delayMs ?? 0) : 0;
    const expiresInMs = features.expiry ? message.expiresInMs : undefined;
    const expiresAt = expiresInMs === undefined ? undefined : this.#now() + expiresInMs;
    this.#add(new StoredMessage(message, bytes, lane, expiresAt), delayMs);
  }

  /** Takes a message that was accepted before, however full the queue is. */
  accept(message: WireMessage): void {
    const lane = LANE[message.priority ?? "standard"];
    this.#add(new StoredMessage(message, sizeOf(message), lane, undefined), 0);
  }

  /** A new competitor. Its first message comes in a later turn, when its maker knows that it lives. */
  join(competitor: Competitor): void {
    this.#competitors.add(competitor);
    if (this.#line.join(competitor) && this.#ready > 0) this.#surroundings.turns.wake(this);
  }

  leave(competitor: Competitor): void {
    this.#competitors.delete(competitor);
    this.#line.leave(competitor);
  }

  /** A competitor may have room again. */
  offer(competitor: Competitor): void {
    if (this.#line.join(competitor) && this.#ready > 0) this.#surroundings.turns.wakeSoon(this);
  }

  /** The next message, out of turn; undefined when none is ready now. */
  take(): StoredMessage | undefined {
    while (this.#moveDue());
    const stored = this.#takeReady();
    if (stored !== undefined) this.#markOut(stored);
    return stored;
  }

  /** Since when the oldest of the ready messages is; undefined for none. */
  get oldestReadyAt(): number | undefined {
    const oldest = Math.min(...this.#lanes.map((lane) => lane.peek()?.readyAt ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(oldest) ? oldest : undefined;
  }

  settle(stored: StoredMessage, settlement: WireSettlement, features: QueueFeatures): void {
    if (settlement === "release") {
      stored.released = true;
      this.giveBack(stored);
      return;
    }
    const { message } = stored;
    this.#remove(stored);
    if (settlement === "ack") return;
    if ("retryInMs" in settlement) this.#again(stored, withHeaders(message, settlement.headers), settlement, features);
    else this.#deadLetter(withHeaders(message, settlement.deadLetter));
  }

  /** A delivery has ended without a settlement. */
  lose(stored: StoredMessage): void {
    stored.losses += 1;
    this.giveBack(stored);
  }

  /** Back to its old place. */
  giveBack(stored: StoredMessage): void {
    this.#unsettled -= 1;
    this.#ready += 1;
    this.#lane(stored).giveBack(stored);
    this.#onReady(stored);
  }

  /** Everything in it is gone. */
  clear(): void {
    for (const lane of this.#lanes) for (const stored of lane.clear()) stored.leave();
    for (const stored of this.#dueTimes.clear()) stored.leave();
    this.#ready = 0;
    this.#delayed = 0;
    this.#unsettled = 0;
    this.#bytes = 0;
  }

  sleep(isAsleep: boolean): void {
    this.#dueTimes.sleep(isAsleep);
  }

  move(): boolean {
    if (this.#moveDue()) return true;
    for (let share = SHARE; share > 0; share -= 1) {
      if (this.#ready === 0) return false;
      if (this.#surroundings.turns.paused) return true;
      const competitor = this.#line.next();
      if (competitor === undefined) return false;
      const stored = this.#takeReady();
      if (stored === undefined) this.offer(competitor);
      else this.#handOut(stored, competitor);
    }
    return true;
  }

  #add(stored: StoredMessage, delayMs: number): void {
    this.#bytes += stored.bytes;
    if (delayMs > 0) {
      this.#delayed += 1;
      stored.place = "delayed";
      this.#dueTimes.add(stored, Math.min(this.#now() + delayMs, stored.expiresAt ?? Number.POSITIVE_INFINITY));
    } else {
      this.#makeReady(stored);
    }
  }

  #makeReady(stored: StoredMessage): void {
    this.#sequence += 1;
    stored.sequence = this.#sequence;
    stored.readyAt = this.#surroundings.turns.now;
    this.#ready += 1;
    this.#lane(stored).push(stored);
    this.#onReady(stored);
  }

  #onReady(stored: StoredMessage): void {
    if (stored.expiresAt !== undefined) this.#dueTimes.add(stored, stored.expiresAt);
    if (this.#line.size > 0) this.#surroundings.turns.wake(this);
  }

  #handOut(stored: StoredMessage, competitor: Competitor): void {
    this.#markOut(stored);
    try {
      competitor.take(stored);
    } finally {
      this.offer(competitor);
    }
  }

  #markOut(stored: StoredMessage): void {
    this.#ready -= 1;
    this.#unsettled += 1;
    stored.place = "out";
    this.#dueTimes.remove(stored);
  }

  /** Lets what is due become ready or expire. True: there may be more than a share of it. */
  #moveDue(): boolean {
    if (this.#dueTimes.size === 0) return false;
    const now = this.#now();
    for (let share = SHARE; share > 0; share -= 1) {
      const stored = this.#dueTimes.takeDue(now);
      if (stored === undefined) return false;
      if (stored.expiresAt !== undefined && stored.expiresAt <= now) {
        this.#expire(stored, now);
      } else {
        this.#delayed -= 1;
        this.#makeReady(stored);
      }
    }
    return true;
  }

  #expire(stored: StoredMessage, now: number): void {
    const { message, place } = stored;
    this.#bytes -= stored.bytes;
    if (place === "delayed") {
      this.#delayed -= 1;
      stored.leave();
    } else {
      this.#ready -= 1;
      this.#lane(stored).leave(stored);
    }
    this.#deadLetter(
      withHeaders(message, deadLetterHeaders(message.headers, { reason: "expired", queue: this.name, at: now })),
    );
  }

  /** The next by priority and age. What has expired was taken out before. */
  #takeReady(): StoredMessage | undefined {
    for (const lane of this.#lanes) {
      if (lane.size > 0) return lane.take();
    }
    return undefined;
  }

  /** A handed-out message is settled for good. */
  #remove(stored: StoredMessage): void {
    this.#unsettled -= 1;
    this.#bytes -= stored.bytes;
    stored.leave();
  }

  #again(
    stored: StoredMessage,
    message: WireMessage,
    { retryInMs }: { readonly retryInMs: number },
    { delayedDelivery }: QueueFeatures,
  ): void {
    const next = new StoredMessage(message, sizeOf(message), stored.lane, stored.expiresAt);
    this.#add(next, delayedDelivery ? retryInMs : 0);
  }

  #deadLetter(message: WireMessage): void {
    if (this.deadLetterQueue === undefined) return;
    // Its delay and its expiry were for the queue that it has left.
    const { delayMs: _delayMs, expiresInMs: _expiresInMs, ...rest } = message;
    this.#surroundings.deadLetter(this.deadLetterQueue, rest);
  }

  #lane(stored: StoredMessage): Lane {
    return this.#lanes[stored.lane] as Lane;
  }

  #now(): number {
    return this.#surroundings.clock.now();
  }
}

function withHeaders(message: WireMessage, headers: MessageHeaders): WireMessage {
  return { ...message, headers };
}
