import type { Address, Driver, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Cancel, Clock } from "../ports/clock.js";
import { backoffMs } from "../util/backoff.js";
import type { Ending } from "../util/ending.js";
import { Limit } from "./limit.js";
import { type Link, type ManagedConnection, RECONNECT } from "./managed-connection.js";
import { Room } from "./room.js";

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

/** One publish, from its call to the end of its last send. */
interface Entry {
  readonly to: Address;
  readonly message: WireMessage;
  readonly bounds: PublishBounds;
  readonly limit: Limit;
  readonly line: string;
  /** Its place among all calls: what is sent again keeps it. */
  readonly number: number;
  sends: number;
  lastError: MessagingError | undefined;
  isOver: boolean;
  resolve(sends: number): void;
  reject(error: MessagingError): void;
}

/** What waits for one address, in order. */
interface Line {
  /** Sent before and not confirmed: ahead of all that was not sent yet. */
  readonly again: Entry[];
  readonly fresh: Set<Entry>;
  /** Set while the line waits after a failure; calling it ends the wait. */
  endPause: Cancel | undefined;
}

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
  readonly #lines = new Map<string, Line>();
  #callers = 0;
  #calls = 0;
  #isRefusing = false;
  #isAwaitingLink = false;
  #onIdle: () => void = () => {};

  constructor(driver: Driver, connection: ManagedConnection, clock: Clock) {
    this.#driver = driver;
    this.#connection = connection;
    this.#clock = clock;
  }

  /** Publishes that have not settled. */
  get callers(): number {
    return this.#callers;
  }

  /** From now on every new publish is refused with `CLOSED`; `onIdle` is called each time that none is left. */
  refuse(onIdle: () => void): void {
    this.#isRefusing = true;
    this.#onIdle = onIdle;
  }

  /** Resolves with the number of sends that it took. Always settles, within the bounds. */
  publish(to: Address, message: WireMessage, bounds: PublishBounds): Promise<number> {
    const { what, timeoutMs, signal } = bounds;
    return new Promise<number>((resolve, reject) => {
      if (this.#isRefusing) return reject(new MessagingError("CLOSED", `${what}: this Messaging is closed`));
      const lastError = (): unknown => entry.lastError ?? this.#connection.lastError;
      const ended = bounds.ended === undefined ? [this.#connection.ended] : [this.#connection.ended, bounds.ended];
      const limit = new Limit({ clock: this.#clock, what, timeoutMs, signal, ended, lastError });
      const line = lineOf(to);
      this.#calls += 1;
      const entry: Entry = {
        number: this.#calls,
        to,
        message,
        bounds,
        limit,
        line,
        sends: 0,
        lastError: undefined,
        isOver: false,
        resolve,
        reject,
      };
      this.#callers += 1;
      limit.onOver((error) => this.#giveUp(entry, error));
      if (entry.isOver) return;
      const link = this.#connection.link;
      const isFree = link !== undefined && this.#lines.size === 0;
      if (isFree && this.#room.tryEnter(message.body.byteLength)) this.#send(entry, link);
      else this.#wait(entry, "fresh");
    });
  }

  #wait(entry: Entry, part: "again" | "fresh"): void {
    const { again, fresh } = this.#line(entry.line);
    if (part === "fresh") fresh.add(entry);
    else insert(entry, again);
    this.#pump();
  }

  #line(name: string): Line {
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { again: [], fresh: new Set(), endPause: undefined };
      this.#lines.set(name, line);
    }
    return line;
  }

  /** Sends what can be sent, one of each line by turns: there must be a link, room, and no pause in the line. */
  #pump(): void {
    for (const [name, line] of this.#lines) {
      if (line.endPause !== undefined) continue;
      const entry = firstOf(line);
      if (entry === undefined) {
        this.#lines.delete(name);
        continue;
      }
      const { link } = this.#connection;
      if (link === undefined) {
        this.#awaitLink();
        return;
      }
      if (!this.#room.tryEnter(entry.message.body.byteLength)) return;
      remove(entry, line);
      // To the end of the round, which goes on until nothing more can be sent.
      this.#lines.delete(name);
      if (firstOf(line) !== undefined) this.#lines.set(name, line);
      this.#send(entry, link);
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
        for (const line of this.#lines.values()) {
          for (const entry of [...line.again, ...line.fresh]) this.#giveUp(entry, failure);
        }
      },
    );
  }

  #send(entry: Entry, link: Link): void {
    entry.sends += 1;
    link.connection.publish(entry.to, entry.message).then(
      () => {
        this.#room.leave(entry.message.body.byteLength);
        if (!entry.isOver) {
          this.#end(entry);
          entry.resolve(entry.sends);
        }
        this.#pump();
      },
      (error: unknown) => {
        this.#room.leave(entry.message.body.byteLength);
        if (!entry.isOver) this.#onFailed(entry, link, this.#driver.toMessagingError(error));
        this.#pump();
      },
    );
  }

  #onFailed(entry: Entry, link: Link, error: MessagingError): void {
    entry.lastError = error;
    if (error.code !== "UNAVAILABLE") {
      this.#reject(entry, error);
    } else if (!entry.bounds.resend) {
      this.#giveUp(entry, error);
    } else {
      // With the link gone, the next one has its own back-off. A failure on a link that holds waits here, and its line
      // with it, so that the order is kept.
      if (!link.lost.hasEnded) this.#pause(entry);
      this.#wait(entry, "again");
    }
  }

  #pause({ line: name, sends }: Entry): void {
    const line = this.#line(name);
    line.endPause ??= this.#clock.setTimer(backoffMs(sends, 0, RECONNECT), () => {
      line.endPause = undefined;
      this.#pump();
    });
  }

  /** The caller is told; what the driver still holds keeps its room until the driver lets go of it. */
  #giveUp(entry: Entry, error: MessagingError): void {
    if (entry.isOver) return;
    const line = this.#lines.get(entry.line);
    if (line !== undefined) {
      remove(entry, line);
      if (firstOf(line) === undefined) {
        line.endPause?.();
        this.#lines.delete(entry.line);
      }
    }
    this.#reject(entry, entry.sends > 0 ? mayHaveArrived(error) : error);
  }

  #reject(entry: Entry, error: MessagingError): void {
    this.#end(entry);
    entry.reject(error);
  }

  #end(entry: Entry): void {
    entry.isOver = true;
    entry.limit.dispose();
    this.#callers -= 1;
    if (this.#callers === 0) this.#onIdle();
  }
}

/** Queues and broadcasts may have the same name. A lane that is slow must not hold up the others. */
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

function firstOf({ again, fresh }: Line): Entry | undefined {
  const [first] = again.length > 0 ? again : fresh;
  return first;
}

/** In the order of the calls. Bounded by what can be unconfirmed at once, and nearly always the last. */
function insert(entry: Entry, again: Entry[]): void {
  let index = again.length;
  while (index > 0 && (again[index - 1]?.number ?? 0) > entry.number) index -= 1;
  again.splice(index, 0, entry);
}

function remove(entry: Entry, { again, fresh }: Line): void {
  if (fresh.delete(entry)) return;
  const index = again.indexOf(entry);
  if (index >= 0) again.splice(index, 1);
}

function mayHaveArrived(error: MessagingError): MessagingError {
  return new MessagingError(error.code, `${error.message}; it may have arrived all the same`, { cause: error });
}
