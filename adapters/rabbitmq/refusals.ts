/** How long a queue may refuse for want of a leader. One that refuses for longer is full, by a policy that is not ours. */
const ELECTION_MS = 5_000;

/** Refusals that are further apart are of two elections, though nothing was stored between them. */
const APART_MS = 30_000;

/** How long a queue has been refusing what is published to it. Times are of one clock that never goes back. */
export class Refusals {
  #since: number | undefined;
  #latest = 0;

  /** Whether the queue may still be electing its leader. */
  refused(now: number): boolean {
    if (this.#since === undefined || now - this.#latest > APART_MS) this.#since = now;
    this.#latest = now;
    return now - this.#since <= ELECTION_MS;
  }

  stored(): void {
    this.#since = undefined;
  }
}
