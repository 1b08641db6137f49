import { MessagingError } from "../../src/errors/messaging-error.js";
import { Ring } from "../../src/util/ring.js";
import type { AmqpPublishOptions } from "./amqp.js";
import type { BrokerQueue } from "./broker-queue.js";
import { ConfirmingChannel, type PendingPublish } from "./confirming-channel.js";
import { DUE_AT_HEADER } from "./headers.js";
import { InFlight } from "./in-flight.js";
import type { DelayLadder } from "./ladder.js";
import type { Link } from "./link.js";
import type { Topology } from "./topology.js";

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
  #channel: ConfirmingChannel | undefined;
  #opening: Promise<void> | undefined;

  constructor(link: Link, topology: Topology, ladder: DelayLadder) {
    this.#link = link;
    this.#topology = topology;
    this.#ladder = ladder;
    this.#owner = {
      settled: () => this.#inFlight.end(),
      resend: (publish, target) => {
        // Of all that come back, the first since the last declaration asks for a new one.
        if (publish.declaration === target.declarations) {
          target.declared = false;
          target.reachedByLadder = false;
          topology.forgetLadder();
        }
        this.#enqueue(publish, target);
      },
    };
  }

  /** Resolves on the broker's confirm. Adds to the headers in `options`. */
  publish(queue: BrokerQueue, content: Buffer, options: AmqpPublishOptions, delayMs: number): Promise<void> {
    const targets = queue.isLane ? this.#lanes : this.#targets;
    const target = targets.get(queue.name) ?? addTarget(targets, queue);
    return new Promise((resolve, reject) => {
      this.#inFlight.begin();
      const publish = new Publish(target, content, options, this.#owner, resolve, reject);
      if (delayMs > 0) this.#delay(publish, delayMs);
      if (this.#channel !== undefined && target.waiting.size === 0 && publish.ready)
        send(this.#channel, publish, target);
      else this.#enqueue(publish, target);
    });
  }

  /** Resolves once nothing is on its way. */
  idle(): Promise<void> {
    return this.#inFlight.idle();
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
          send(this.#channel, next, target);
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
      target.waiting.shift();
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

function addTarget(targets: Map<string, Target>, queue: BrokerQueue): Target {
  const target = {
    queue,
    waiting: new Ring<Publish>(),
    declared: false,
    declarations: 0,
    reachedByLadder: false,
    preparing: false,
  };
  targets.set(queue.name, target);
  return target;
}

function send(channel: ConfirmingChannel, publish: Publish, target: Target): void {
  publish.declaration = target.declarations;
  channel.send(publish);
}

/** A queue that is published to. While it is being prepared, publishes wait in order. */
interface Target {
  readonly queue: BrokerQueue;
  readonly waiting: Ring<Publish>;
  declared: boolean;
  declarations: number;
  reachedByLadder: boolean;
  preparing: boolean;
}

interface PublishOwner {
  settled(): void;
  resend(publish: Publish, target: Target): void;
}

/** A class, so that a publish costs no closure but the one that resolves it. */
class Publish implements PendingPublish {
  exchange = "";
  routingKey: string;
  delayed = false;
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
    target: Target,
    content: Buffer,
    options: AmqpPublishOptions,
    owner: PublishOwner,
    resolve: () => void,
    reject: (error: unknown) => void,
  ) {
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

  confirmed(): void {
    this.#owner.settled();
    this.#resolve();
  }

  failed(error: unknown): void {
    this.#owner.settled();
    this.#reject(error);
  }

  /** What leads to the queue was deleted since it was declared. Nothing was stored, so sending it again cannot store it twice. */
  returned(): void {
    if (!this.#resent) {
      this.#resent = true;
      this.#owner.resend(this, this.#target);
      return;
    }
    const missing = this.delayed ? "the delay ladder" : `queue "${this.#target.queue.name}"`;
    this.failed(new MessagingError("UNROUTABLE", `${missing} is not there: the message was not stored`));
  }
}
