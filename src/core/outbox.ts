import type { Address, Driver, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock } from "../ports/clock.js";
import { onAbort } from "../util/abort.js";
import { backoffMs } from "../util/backoff.js";
import { JointOutcomes } from "./joint-outcomes.js";
import { abortError, endError, Limit, timeoutError } from "./limit.js";
import { type Link, type ManagedConnection, RECONNECT } from "./managed-connection.js";
import type { PendingPublish, PublishBounds } from "./pending-publish.js";
import { PromisedPublish } from "./promised-publish.js";
import { PublishDeadlines } from "./publish-deadlines.js";
import { PublishLine } from "./publish-line.js";
import { Room } from "./room.js";

/** Handed to the driver and not confirmed: 1,000 messages or 16 MiB, whichever comes first. */
const MAX_UNCONFIRMED_MESSAGES = 1_000;
const MAX_UNCONFIRMED_BYTES = 16 * 1024 * 1024;

/**
 * Hands messages to the driver: bounded in what is unconfirmed, each within its own limit, in the order of the calls for
 * each address, also when they are sent again. Everything is sent synchronously from here, so that nothing overtakes.
 */
export class Outbox {
  readonly #driver: Driver;
  readonly #connection: ManagedConnection;
  readonly #clock: Clock;
  readonly #room = new Room(MAX_UNCONFIRMED_MESSAGES, MAX_UNCONFIRMED_BYTES);
  /** Only the addresses for which something waits. */
  readonly #lines = new Map<string, PublishLine>();
  /** All that have not settled. */
  readonly #deadlines: PublishDeadlines;
  readonly #sent: JointOutcomes<PendingPublish, void>;
  #calls = 0;
  #isRefusing = false;
  #isAwaitingLink = false;
  #willPump = false;
  #onIdle: () => void = () => {};

  constructor(driver: Driver, connection: ManagedConnection, clock: Clock) {
    this.#driver = driver;
    this.#connection = connection;
    this.#clock = clock;
    this.#deadlines = new PublishDeadlines(clock, (publish) => this.giveUp(publish, this.#timeoutOf(publish)));
    this.#sent = new JointOutcomes(
      (publish) => this.#onSent(publish),
      (publish, error) => this.#onSendFailed(publish, error),
    );
    connection.ended.onEnd(() => {
      for (const publish of this.#deadlines.all())
        this.giveUp(publish, endError(publish.bounds.what, connection.ended));
    });
  }

  /** Publishes that have not settled. */
  get callers(): number {
    return this.#deadlines.size;
  }

  /** From now on every new publish is refused with `CLOSED`; `onIdle` is called each time that none is left. */
  refuse(onIdle: () => void): void {
    this.#isRefusing = true;
    this.#onIdle = onIdle;
  }

  /** Resolves with the number of sends that it took. Always settles, within the bounds. */
  publish(to: Address, message: WireMessage, bounds: PublishBounds): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      this.enter(new PromisedPublish(to, message, bounds, this.#clock.now(), resolve, reject));
    });
  }

  /** As `publish`, told by its callbacks, also of a refusal: then before this returns. */
  enter(publish: PendingPublish): void {
    const { what, signal, ended } = publish.bounds;
    if (this.#isRefusing) {
      publish.onFailed(new MessagingError("CLOSED", `${what}: this Messaging is closed`));
      return;
    }
    this.#calls += 1;
    publish.number = this.#calls;
    this.#deadlines.add(publish);
    if (signal !== undefined || ended !== undefined) this.#listen(publish);
    const { link, ended: end } = this.#connection;
    if (end.hasEnded) this.giveUp(publish, endError(what, end));
    if (publish.isOver) return;
    const isFree = link !== undefined && this.#lines.size === 0 && !this.#willPump;
    if (isFree && this.#room.tryEnter(publish.bytes)) this.#send(publish, link);
    else {
      this.#line(publish.line).add(publish);
      this.#pump();
    }
  }

  #listen(publish: PendingPublish): void {
    const { what, signal, ended } = publish.bounds;
    publish.listeners = [];
    if (signal !== undefined) {
      publish.listeners.push(onAbort(signal, () => this.giveUp(publish, abortError(what, signal))));
    }
    if (ended === undefined || publish.isOver) return;
    publish.listeners.push(ended.onEnd(() => this.giveUp(publish, endError(what, ended))));
  }

  #timeoutOf({ bounds, lastError }: PendingPublish): MessagingError {
    return timeoutError(bounds.what, bounds.timeoutMs, lastError ?? this.#connection.lastError);
  }

  #line(name: string): PublishLine {
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = new PublishLine();
      this.#lines.set(name, line);
    }
    return line;
  }

  /** Sends what can be sent, one of each line by turns: there must be a link, room, and no pause in the line. */
  #pump(): void {
    // Asked after each confirm, when nearly always nothing waits.
    if (this.#lines.size === 0 || this.#willPump) return;
    for (const [name, line] of this.#lines) {
      if (line.endPause !== undefined) continue;
      const publish = line.first;
      if (publish === undefined) {
        this.#lines.delete(name);
        continue;
      }
      const { link } = this.#connection;
      if (link === undefined) {
        this.#awaitLink();
        return;
      }
      if (!this.#room.tryEnter(publish.bytes)) return;
      line.remove(publish);
      // To the end of the round, which goes on until nothing more can be sent.
      this.#lines.delete(name);
      if (line.first !== undefined) this.#lines.set(name, line);
      this.#send(publish, link);
    }
  }

  #awaitLink(): void {
    if (this.#isAwaitingLink) return;
    this.#isAwaitingLink = true;
    const limit = new Limit({ clock: this.#clock, what: "publish", ended: [this.#connection.ended] });
    this.#connection.acquire(limit).then(
      () => {
        this.#isAwaitingLink = false;
        limit.dispose();
        this.#pump();
      },
      (error: unknown) => {
        this.#isAwaitingLink = false;
        limit.dispose();
        const failure = this.#driver.toMessagingError(error);
        // Those alone that waited for it: whoever is told may publish again, and that waits for the next.
        const waiting = [...this.#lines.values()].flatMap((line) => line.all());
        for (const publish of waiting) this.giveUp(publish, failure);
      },
    );
  }

  #send(publish: PendingPublish, link: Link): void {
    publish.sends += 1;
    publish.link = link;
    this.#sent.add(handOver(publish, link), publish);
  }

  #onSent(publish: PendingPublish): void {
    this.#room.leave(publish.bytes);
    if (!publish.isOver) {
      this.#end(publish);
      publish.onPublished(publish.sends);
    }
    this.#pump();
  }

  #onSendFailed(publish: PendingPublish, error: unknown): void {
    this.#room.leave(publish.bytes);
    this.#pumpSoon();
    if (!publish.isOver) this.#onFailed(publish, this.#driver.toMessagingError(error));
  }

  /** Once all that failed together are back in their lines: neither what is behind them nor what comes may overtake them. */
  #pumpSoon(): void {
    if (this.#willPump) return;
    this.#willPump = true;
    queueMicrotask(() => {
      this.#willPump = false;
      this.#pump();
    });
  }

  #onFailed(publish: PendingPublish, error: MessagingError): void {
    publish.lastError = error;
    if (error.code !== "UNAVAILABLE") {
      this.#reject(publish, error);
    } else if (!publish.bounds.resend) {
      this.giveUp(publish, error);
    } else {
      // With the link gone, the next one has its own back-off. A failure on a link that holds waits here, and its line
      // with it, so that the order is kept.
      if (publish.link?.lost.hasEnded === false) this.#pause(publish);
      this.#line(publish.line).addAgain(publish);
    }
  }

  #pause({ line: name, sends }: PendingPublish): void {
    const line = this.#line(name);
    line.endPause ??= this.#clock.setTimer(backoffMs(sends, 0, RECONNECT), () => {
      line.endPause = undefined;
      this.#pump();
    });
  }

  /** The caller is told; what the driver still holds keeps its room until the driver lets go of it. */
  giveUp(publish: PendingPublish, error: MessagingError): void {
    if (publish.isOver) return;
    const line = this.#lines.get(publish.line);
    if (line !== undefined) {
      line.remove(publish);
      if (line.first === undefined) {
        line.endPause?.();
        this.#lines.delete(publish.line);
      }
    }
    this.#reject(publish, publish.sends > 0 ? mayHaveArrived(error) : error);
  }

  #reject(publish: PendingPublish, error: MessagingError): void {
    this.#end(publish);
    publish.onFailed(error);
  }

  #end(publish: PendingPublish): void {
    publish.isOver = true;
    this.#deadlines.remove(publish);
    if (publish.listeners !== undefined) for (const forget of publish.listeners) forget();
    if (this.#deadlines.size === 0) this.#onIdle();
  }
}

/** A driver that throws where it should reject has failed all the same; what it returns settles once. */
function handOver({ to, message }: PendingPublish, { connection }: Link): Promise<void> {
  try {
    return Promise.resolve(connection.publish(to, message));
  } catch (error) {
    return Promise.reject(error);
  }
}

function mayHaveArrived(error: MessagingError): MessagingError {
  return new MessagingError(error.code, `${error.message}; it may have arrived all the same`, { cause: error });
}
