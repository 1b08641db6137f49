import type { Subscriber } from "./subscriber.js";

/** Who is here. One that leaves is known until its stream has ended, so that whoever asks can wait for that. */
export class Subscribers {
  /** Each client's newest that has begun. */
  readonly #current = new Map<string, Subscriber>();
  readonly #byClient = new Map<string, Set<Subscriber>>();
  readonly #all = new Set<Subscriber>();
  readonly #open = new Set<Subscriber>();

  /** Those that take events. */
  get open(): number {
    return this.#open.size;
  }

  get all(): readonly Subscriber[] {
    return [...this.#all];
  }

  /** How many events those that take any may hold at once. */
  get demand(): number {
    let demand = 0;
    for (const subscriber of this.#open) demand += subscriber.demand;
    return demand;
  }

  /** It takes no events yet. */
  add(subscriber: Subscriber): void {
    this.#all.add(subscriber);
    const others = this.#byClient.get(subscriber.clientId);
    if (others === undefined) this.#byClient.set(subscriber.clientId, new Set([subscriber]));
    else others.add(subscriber);
  }

  /** From now on it takes events. Returns the one that it replaces. */
  begin(subscriber: Subscriber): Subscriber | undefined {
    const before = this.#current.get(subscriber.clientId);
    this.#current.set(subscriber.clientId, subscriber);
    this.#open.add(subscriber);
    return before;
  }

  /** It takes no more. */
  end(subscriber: Subscriber): void {
    this.#open.delete(subscriber);
  }

  /** Its client id is free, unless a newer subscriber has it. */
  free(subscriber: Subscriber): void {
    this.#open.delete(subscriber);
    if (this.#current.get(subscriber.clientId) === subscriber) this.#current.delete(subscriber.clientId);
  }

  forget(subscriber: Subscriber): void {
    this.free(subscriber);
    this.#all.delete(subscriber);
    const others = this.#byClient.get(subscriber.clientId);
    others?.delete(subscriber);
    if (others?.size === 0) this.#byClient.delete(subscriber.clientId);
  }

  /** All that had, have or wait for this id and have not ended. */
  ofClient(clientId: string): readonly Subscriber[] {
    return [...(this.#byClient.get(clientId) ?? [])];
  }

  /** Who has room, with the least outstanding; among equals who was served longest ago. */
  pick(): Subscriber | undefined {
    let best: Subscriber | undefined;
    for (const subscriber of this.#open) {
      if (subscriber.hasRoom && (best === undefined || isBefore(subscriber, best))) best = subscriber;
    }
    return best;
  }
}

function isBefore(one: Subscriber, other: Subscriber): boolean {
  const difference = one.outstanding.size - other.outstanding.size;
  return difference === 0 ? one.lastServed < other.lastServed : difference < 0;
}
