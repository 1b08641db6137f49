import type { Address, WireMessage } from "../driver/driver.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { Cancel } from "../ports/clock.js";
import type { Chain, Chained } from "../util/chain.js";
import type { Ending } from "../util/ending.js";
import type { Link } from "./managed-connection.js";

export interface PublishBounds {
  /** For the errors: "publish to orders". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Again after a lost link, under the same messageId. */
  readonly resend: boolean;
  /** What the publish is for: with its end it is given up. */
  readonly ended?: Ending<MessagingError> | undefined;
}

/** Publishes that may take equally long, in the order of their calls, which is that of their deadlines. */
export interface PublishSpan {
  readonly timeoutMs: number;
  readonly publishes: Chain<PendingPublish>;
  timer: Cancel | undefined;
}

/** The place of a publish in the line of its address. */
export class PublishTurn implements Chained<PublishTurn> {
  readonly publish: PendingPublish;
  before: PublishTurn | undefined = undefined;
  after: PublishTurn | undefined = undefined;

  constructor(publish: PendingPublish) {
    this.publish = publish;
  }
}

/**
 * One publish, from its call to the end of its last send. It is its own entry in every table of the outbox, so that one costs
 * neither closures nor timers.
 */
export abstract class PendingPublish implements Chained<PendingPublish> {
  readonly to: Address;
  readonly message: WireMessage;
  readonly bounds: PublishBounds;
  /** When it was called, by our clock; later, if that was set back meanwhile. */
  startedAt: number;
  /** Of its body. */
  readonly bytes: number;
  /** Kept by the deadlines. */
  span: PublishSpan | undefined = undefined;
  before: PendingPublish | undefined = undefined;
  after: PendingPublish | undefined = undefined;
  /** While it waits to be sent for the first time. */
  turn: PublishTurn | undefined = undefined;
  /** Its place among all calls: what is sent again keeps it. */
  number = 0;
  sends = 0;
  /** That it was sent through last. */
  link: Link | undefined = undefined;
  lastError: MessagingError | undefined = undefined;
  isOver = false;
  /** Of what may end it besides its time; most have none. */
  listeners: Cancel[] | undefined = undefined;

  constructor(to: Address, message: WireMessage, bounds: PublishBounds, startedAt: number) {
    this.to = to;
    this.message = message;
    this.bounds = bounds;
    this.startedAt = startedAt;
    this.bytes = message.body.byteLength;
  }

  /** With the number of sends that it took. One of these two is called, once; neither may throw. */
  abstract onPublished(sends: number): void;
  abstract onFailed(error: MessagingError): void;

  /** What must keep its order. Queues and broadcasts may have the same name; a lane that is slow must not hold up the others. */
  get line(): string {
    return lineOf(this.to);
  }
}

function lineOf(to: Address): string {
  switch (to.kind) {
    case "queue":
      return to.queue.lanes ? `lane ${to.lane} ${to.queue.name}` : `queue ${to.queue.name}`;
    case "broadcast":
      return `broadcast ${to.name}`;
    case "inbox":
      return `inbox ${to.address}`;
  }
}
