import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpPublishOptions } from "./amqp.js";
import type { BrokerQueue } from "./broker-queue.js";
import { ConfirmingChannel, type PendingPublish } from "./confirming-channel.js";
import { DUE_AT_HEADER } from "./headers.js";
import { InFlight } from "./in-flight.js";
import type { DelayLadder } from "./ladder.js";
import type { Link } from "./link.js";
import { Refusals } from "./refusals.js";
import type { Topology } from "./topology.js";
import { WaitingPublishes } from "./waiting-publishes.js";

/** Publishes to queues with confirms. A lost channel is opened anew; what was on it is rejected, for core to send again. */
export class QueuePublisher {
  readonly #link: Link;
  readonly #topology: Topology;
  readonly #ladder: DelayLadder;
  readonly #targets = new Map<string, Target>();
  /** Apart, so that a queue that has the name of a lane is declared, and refused by the broker. */
  readonly #lanes = new Map<string, Target>();
  readonly #owner: PublishOwner;
  readonly #inFlight = new InFlight();
  #published = 0;
  #channel: ConfirmingChannel | undefined;
  #opening: Promise<void> | undefined;

  /** `onDeleted`: told once for each time that a queue, by its name, was there and is not any more. */
  constructor(link: Link, topology: Topology, ladder: DelayLadder, onDeleted: (queue: string) => void) {
    this.#link = link;
    this.#topology = topology;
    this.#ladder = ladder;
    this.#owner = {
      settled: () => this.#inFlight.end(),
      send: (publish, target) => this.#enqueue(publish, target),
      resend: (publish, target, isReturned) => {
        // Of all that come back, the first since the last declaration asks for a new one.
        if (publish.declaration === target.declarations) {
          target.declared = false;
          target.reachedByLadder = false;
          topology.forgetLadder();
          if (isReturned && !publish.delayed && target.foundDeleted !== target.declarations) {
            target.foundDeleted = target.declarations;
            onDeleted(target.queue.name);
          }
        }
        this.#enqueue(publish, target);
      },
    };
  }

  /** Resolves on the broker's confirm. Adds to the headers in `options`. */
  publish(queue: BrokerQueue, content: Buffer, options: AmqpPublishOptions, delayMs: number): Promise<void> {
    const targets = queue.isLane ? this.#lanes : this.#targets;
    const target = targets.get(queue.name) ?? this.#addTarget(targets, queue);
    return new Promise((resolve, reject) => {
      this.#inFlight.begin();
      this.#published += 1;
      const publish = new Publish(this.#published, target, content, options, this.#owner, resolve, reject);
      if (delayMs > 0) this.#delay(publish, delayMs);
      if (this.#channel !== undefined && target.waiting.size === 0 && publish.ready) this.#channel.send(publish);
      else this.#enqueue(publish, target);
    });
  }

  /** Resolves once nothing is on its way. */
  idle(): Promise<void> {
    return this.#inFlight.idle();
  }

  #addTarget(targets: Map<string, Target>, queue: BrokerQueue): Target {
    const refusals = (byLadder: boolean): Refusals | undefined =>
      this.#topology.refusesOnlyWithoutLeader(queue, byLadder) ? new Refusals() : undefined;
    const target = {
      queue,
      waiting: new WaitingPublishes<Publish>(),
      refusals: refusals(false),
      ladderRefusals: refusals(true),
      declared: false,
      declarations: 0,
      foundDeleted: 0,
      reachedByLadder: false,
      preparing: false,
    };
    targets.set(queue.name, target);
    return target;
  }

  #delay(publish: Publish, delayMs: number): void {
    const seconds = Math.ceil(delayMs / 1000);
    const { maxSeconds } = this.#ladder;
    if (seconds > maxSeconds) publish.options.headers[DUE_AT_HEADER] = Math.ceil(Date.now() + delayMs);
    const route = this.#ladder.route(Math.min(seconds, maxSeconds), publish.routingKey);
    publish.exchange = route.exchange;
    publish.routingKey = route.routingKey;
    publish.delayed = true;
  }

  #enqueue(publish: Publish, target: Target): void {
    target.waiting.push(publish);
    if (!target.preparing) void this.#prepare(target);
  }

  async #prepare(target: Target): Promise<void> {
    const { queue, waiting } = target;
    target.preparing = true;
    try {
      for (let next = waiting.peek(); next !== undefined; next = waiting.peek()) {
        if (this.#channel === undefined) await this.#open();
        else if (!target.declared) {
          await this.#topology.queue(queue);
          target.declared = true;
          target.declarations += 1;
        } else if (!next.ready) {
          await this.#reachByLadder(target, next);
        } else {
          waiting.shift();
          this.#channel.send(next);
        }
      }
    } catch (error) {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) next.failed(error);
    }
    target.preparing = false;
  }

  /** What cannot be delayed fails alone: what waits behind it may need no ladder. */
  async #reachByLadder(target: Target, publish: Publish): Promise<void> {
    try {
      await this.#topology.delayTo(target.queue.name);
      target.reachedByLadder = true;
    } catch (error) {
      target.waiting.remove(publish);
      publish.failed(error);
    }
  }

  /** One opening, whoever waits for it. */
  #open(): Promise<void> {
    this.#opening ??= this.#link
      .createConfirmChannel()
      .then((amqp) => {
        const channel = new ConfirmingChannel(amqp, () => {
          if (this.#channel === channel) this.#channel = undefined;
        });
        this.#channel = channel;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }
}

/** A queue that is published to. While it is being prepared, publishes wait in order. */
interface Target {
  readonly queue: BrokerQueue;
  readonly waiting: WaitingPublishes<Publish>;
  /** Undefined where a refusal is final. */
  readonly refusals: Refusals | undefined;
  readonly ladderRefusals: Refusals | undefined;
  declared: boolean;
  declarations: number;
  /** Which declaration's queue was last found to be gone. */
  foundDeleted: number;
  reachedByLadder: boolean;
  preparing: boolean;
}

interface PublishOwner {
  settled(): void;
  send(publish: Publish, target: Target): void;
  resend(publish: Publish, target: Target, isReturned: boolean): void;
}

/** A class, so that a publish costs no closure but the one that resolves it. */
class Publish implements PendingPublish {
  exchange = "";
  routingKey: string;
  readonly mandatory = true;
  delayed = false;
  /** In the order of the calls. */
  readonly number: number;
  /** Of its target, when it was sent: which one was found wanting if it comes back. */
  declaration = 0;
  readonly content: Buffer;
  readonly options: AmqpPublishOptions;
  readonly #target: Target;
  readonly #owner: PublishOwner;
  readonly #resolve: () => void;
  #resent = false;
  readonly #reject: (error: unknown) => void;

  constructor(
    number: number,
    target: Target,
    content: Buffer,
    options: AmqpPublishOptions,
    owner: PublishOwner,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
    this.number = number;
    this.routingKey = target.queue.name;
    this.content = content;
    this.options = options;
    this.#target = target;
    this.#owner = owner;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get ready(): boolean {
    return this.#target.declared && (!this.delayed || this.#target.reachedByLadder);
  }

  sending(): void {
    this.declaration = this.#target.declarations;
  }

  unsent(): void {
    this.#owner.send(this, this.#target);
  }

  /**
   * Core sends again what was lost, in its order, so that what comes after it must be told as lost, too. A request it does not
   * send again: that one goes on by itself. (Not at once: a link that ends tells its channels one by one, and one that is opened
   * meanwhile would never be told.)
   */
  leftBehind(error: unknown): void {
    if (this.#target.queue.isLane) queueMicrotask(() => this.unsent());
    else this.failed(error);
  }

  confirmed(): void {
    this.#refusals?.stored();
    this.#owner.settled();
    this.#resolve();
  }

  failed(error: unknown): void {
    this.#owner.settled();
    this.#reject(error);
  }

  /**
   * Once more: a quorum queue that is being declared, by whomever, refuses its first messages. One that elects its leader
   * does so for longer: that is told as a passing failure, after which core sends again in its own time.
   */
  refused(error: Error): void {
    const mayBeElecting = this.#refusals?.refused(performance.now()) ?? false;
    if (!this.#sendAgain(false)) this.failed(mayBeElecting ? refusedForNow(this.#target, error) : error);
  }

  /** What leads to the queue was deleted since it was declared. Nothing was stored, so sending it again cannot store it twice. */
  returned(): void {
    if (this.#sendAgain(true)) return;
    const missing = this.delayed ? "the delay ladder" : `queue "${this.#target.queue.name}"`;
    this.failed(new MessagingError("UNROUTABLE", `${missing} is not there: the message was not stored`));
  }

  get #refusals(): Refusals | undefined {
    return this.delayed ? this.#target.ladderRefusals : this.#target.refusals;
  }

  /** False: that has been tried. */
  #sendAgain(isReturned: boolean): boolean {
    if (this.#resent) return false;
    this.#resent = true;
    this.#owner.resend(this, this.#target, isReturned);
    return true;
  }
}

function refusedForNow({ queue }: Target, cause: Error): MessagingError {
  const text = `queue "${queue.name}" refused the message (nack), as it does while it elects its leader`;
  return new MessagingError("UNAVAILABLE", text, { cause });
}
