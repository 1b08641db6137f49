import type { DriverConsumer, WireDelivery, WireMessage, WireSettlement } from "../../src/driver/driver.js";
import { Ring } from "../../src/util/ring.js";
import { laneFull } from "./errors.js";
import type { MachineClock } from "./machine-clock.js";
import { sizeOf } from "./mapping.js";
import type { Turns } from "./turns.js";

const MAX_MESSAGES = 100_000;
const MAX_BYTES = 256 * 1024 * 1024;
/** What is handed out in one turn of the event loop at most. */
const SHARE = 1_024;

const REACHED = Promise.resolve(true);
const LOST = Promise.resolve(false);

interface Waiting {
  readonly message: WireMessage;
  readonly expires: number;
  losses: number;
  isReleased: boolean;
}

/** One lane of a queue with lanes: in memory alone, and gone with the process. */
export class TransientLane {
  readonly #name: string;
  readonly #clock: MachineClock;
  readonly #turns: Turns;
  readonly #waiting = new Ring<Waiting>();
  readonly #consumers: TransientConsumer[] = [];
  #bytes = 0;
  #turn = 0;
  #isAwake = false;

  constructor(name: string, clock: MachineClock, turns: Turns) {
    this.#name = name;
    this.#clock = clock;
    this.#turns = turns;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Throws `REJECTED` when it is full. */
  publish(message: WireMessage): void {
    if (this.#isFull) this.#sweep();
    if (this.#isFull) throw laneFull(this.#name, `${this.#waiting.size} messages of ${this.#bytes} bytes`);
    const expires =
      message.expiresInMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + message.expiresInMs;
    this.#waiting.push({ message, expires, losses: 0, isReleased: false });
    this.#bytes += sizeOf(message);
    this.wake();
  }

  join(consumer: TransientConsumer): void {
    this.#consumers.push(consumer);
    this.wake();
  }

  leave(consumer: TransientConsumer): void {
    const index = this.#consumers.indexOf(consumer);
    if (index >= 0) this.#consumers.splice(index, 1);
  }

  /** In front, since whatever was handed out is older than what waits. */
  giveBack(waiting: Waiting): void {
    this.#waiting.unshift(waiting);
    this.#bytes += sizeOf(waiting.message);
    this.wake();
  }

  /** To the end, with other headers. */
  again({ message, expires }: Waiting, headers: WireMessage["headers"]): void {
    this.#waiting.push({ message: { ...message, headers }, expires, losses: 0, isReleased: false });
    this.#bytes += sizeOf(message);
    this.wake();
  }

  wake(): void {
    if (this.#isAwake || this.#waiting.size === 0 || this.#consumers.length === 0) return;
    this.#isAwake = true;
    this.#turns.next(() => this.#handOut());
  }

  get #isFull(): boolean {
    return this.#waiting.size >= MAX_MESSAGES || this.#bytes >= MAX_BYTES;
  }

  #handOut(): void {
    this.#isAwake = false;
    const now = this.#clock.now();
    for (let left = SHARE; left > 0; left -= 1) {
      const consumer = this.#next();
      const waiting = consumer === undefined ? undefined : this.#waiting.shift();
      if (consumer === undefined || waiting === undefined) return;
      this.#bytes -= sizeOf(waiting.message);
      if (waiting.expires > now) consumer.take(waiting);
    }
    this.wake();
  }

  /** The next that has room. */
  #next(): TransientConsumer | undefined {
    for (let left = this.#consumers.length; left > 0; left -= 1) {
      const consumer = this.#consumers[this.#turn % this.#consumers.length];
      this.#turn = (this.#turn + 1) % this.#consumers.length;
      if (consumer?.hasRoom) return consumer;
    }
    return undefined;
  }

  /** What has expired goes, in whatever place. */
  #sweep(): void {
    const now = this.#clock.now();
    for (let left = this.#waiting.size; left > 0; left -= 1) {
      const waiting = this.#waiting.shift() as Waiting;
      if (waiting.expires > now) this.#waiting.push(waiting);
      else this.#bytes -= sizeOf(waiting.message);
    }
  }
}

export class TransientConsumer implements DriverConsumer {
  readonly #lane: TransientLane;
  readonly #onDelivery: (delivery: WireDelivery) => void;
  readonly #onOver: (consumer: TransientConsumer) => void;
  readonly #unsettled = new Set<Waiting>();
  #prefetch: number;
  #isLive = true;

  /** `onOver` is called when nothing comes to it any more and nothing of it is unsettled. */
  constructor(
    lane: TransientLane,
    prefetch: number,
    onDelivery: (delivery: WireDelivery) => void,
    onOver: (consumer: TransientConsumer) => void,
  ) {
    this.#lane = lane;
    this.#prefetch = prefetch;
    this.#onDelivery = onDelivery;
    this.#onOver = onOver;
    lane.join(this);
  }

  get hasRoom(): boolean {
    return this.#isLive && this.#unsettled.size < this.#prefetch;
  }

  take(waiting: Waiting): void {
    this.#unsettled.add(waiting);
    this.#onDelivery({
      message: waiting.message,
      deliveries: waiting.losses + 1,
      redelivered: waiting.losses > 0 || waiting.isReleased,
      settle: (settlement) => this.#settle(waiting, settlement),
    });
  }

  setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = prefetch;
    this.#lane.wake();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#isLive = false;
    this.#lane.leave(this);
    this.#seeOver();
    return Promise.resolve();
  }

  /** What is unsettled goes back as lost. */
  end(): void {
    void this.stop();
    for (const waiting of [...this.#unsettled].reverse()) {
      waiting.losses += 1;
      this.#lane.giveBack(waiting);
    }
    this.#unsettled.clear();
  }

  #seeOver(): void {
    if (!this.#isLive && this.#unsettled.size === 0) this.#onOver(this);
  }

  #settle(waiting: Waiting, settlement: WireSettlement): Promise<boolean> {
    if (!this.#unsettled.delete(waiting)) return LOST;
    this.#seeOver();
    if (settlement === "release") {
      waiting.isReleased = true;
      this.#lane.giveBack(waiting);
    } else if (settlement !== "ack" && "retryInMs" in settlement) {
      this.#lane.again(waiting, settlement.headers);
    }
    this.#lane.wake();
    return REACHED;
  }
}
