import type { Clock, Random } from "../ports/clock.js";
import type { Observer } from "../ports/observer.js";
import type { ControlChannel } from "./control-channel.js";
import { ExpiringMap } from "./expiring-map.js";

export interface DoneEventsOptions {
  readonly channel: ControlChannel;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  readonly memoryMs: number;
}

const MAX_DONE = 100_000;
/** What may wait to be announced: beyond this the other servers are not told, and may deliver an event once more. */
const MAX_PENDING = 10_000;
const MAX_PER_MESSAGE = 100;

/** Events that are done although the broker has not been told, by what `identityOf` says of each. */
export class DoneEvents {
  readonly #options: DoneEventsOptions;
  readonly #done: ExpiringMap<string, true>;
  /** Of this service: there may be two on a node. */
  readonly #sender: string;
  #pending: string[] = [];
  #announcing = false;

  constructor(options: DoneEventsOptions) {
    this.#options = options;
    const { clock, random, memoryMs } = options;
    this.#sender = random.uuid();
    this.#done = new ExpiringMap({ clock, memoryMs, limit: MAX_DONE });
  }

  has(identity: string | undefined): boolean {
    return identity !== undefined && this.#done.size > 0 && this.#done.get(identity) === true;
  }

  add(identity: string): void {
    this.#done.set(identity, true);
  }

  /** Whether an announcement is this service's own: a node may hear itself. */
  isOwn(sender: string): boolean {
    return sender === this.#sender;
  }

  /** Tells all servers, several at a time. */
  announce(identity: string): void {
    if (this.#pending.length >= MAX_PENDING) this.#discard(1);
    else this.#pending.push(identity);
    if (!this.#announcing) void this.#announceAll();
  }

  async #announceAll(): Promise<void> {
    this.#announcing = true;
    while (this.#pending.length > 0) {
      const events = this.#pending.slice(0, MAX_PER_MESSAGE);
      this.#pending = this.#pending.slice(MAX_PER_MESSAGE);
      const sent = await this.#options.channel.send({ kind: "done", from: this.#sender, events }, undefined);
      if (!sent) this.#discard(events.length);
    }
    this.#announcing = false;
  }

  #discard(count: number): void {
    const reason = "the other servers could not be told that events are done: they may be delivered once more";
    this.#options.observe({ type: "discarded", source: "events", reason, count });
  }
}
