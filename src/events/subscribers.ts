import type { Subscriber } from "./subscriber.js";

/** Who is here. One that leaves is known until its stream has ended, so that whoever asks can wait for that. */
export class Subscribers {
  readonly #byClient = new Map<string, Subscriber>();
  readonly #all = new Set<Subscriber>();

  /** Those that take events. */
  get open(): number {
    let open = 0;
    for (const subscriber of this.#all) if (subscriber.isOpen) open += 1;
    return open;
  }

  get all(): readonly Subscriber[] {
    return [...this.#all];
  }

  /** Returns the one that it replaces. */
  add(subscriber: Subscriber): Subscriber | undefined {
    const before = this.#byClient.get(subscriber.clientId);
    this.#byClient.set(subscriber.clientId, subscriber);
    this.#all.add(subscriber);
    return before;
  }

  /** Its client id is free, unless a newer subscriber has it. */
  free(subscriber: Subscriber): void {
    if (this.#byClient.get(subscriber.clientId) === subscriber) this.#byClient.delete(subscriber.clientId);
  }

  forget(subscriber: Subscriber): void {
    this.free(subscriber);
    this.#all.delete(subscriber);
  }

  /** All that had or have this id and have not ended. */
  ofClient(clientId: string): readonly Subscriber[] {
    return this.all.filter((subscriber) => subscriber.clientId === clientId);
  }

  /** Who has room, with the least outstanding; among equals who was served longest ago. */
  pick(): Subscriber | undefined {
    let best: Subscriber | undefined;
    for (const subscriber of this.#all) {
      if (subscriber.hasRoom && (best === undefined || isBefore(subscriber, best))) best = subscriber;
    }
    return best;
  }
}

function isBefore(one: Subscriber, other: Subscriber): boolean {
  const difference = one.outstanding.size - other.outstanding.size;
  return difference === 0 ? one.lastServed < other.lastServed : difference < 0;
}
