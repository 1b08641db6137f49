import type { Cancel } from "../ports/clock.js";
import { Chain } from "../util/chain.js";
import { type PendingPublish, PublishTurn } from "./pending-publish.js";

/** What waits for one address, in order: what was sent before and not confirmed is ahead of all that was not sent yet. */
export class PublishLine {
  readonly #again: PendingPublish[] = [];
  readonly #fresh = new Chain<PublishTurn>();
  /** Set while the line waits after a failure; calling it ends the wait. */
  endPause: Cancel | undefined;

  get first(): PendingPublish | undefined {
    return this.#again.length > 0 ? this.#again[0] : this.#fresh.first?.publish;
  }

  all(): PendingPublish[] {
    return [...this.#again, ...this.#fresh.all().map(({ publish }) => publish)];
  }

  add(publish: PendingPublish): void {
    publish.turn = new PublishTurn(publish);
    this.#fresh.add(publish.turn);
  }

  /** In the order of the calls. Bounded by what can be unconfirmed at once, and nearly always the last. */
  addAgain(publish: PendingPublish): void {
    let index = this.#again.length;
    while (index > 0 && (this.#again[index - 1]?.number ?? 0) > publish.number) index -= 1;
    this.#again.splice(index, 0, publish);
  }

  remove(publish: PendingPublish): void {
    if (publish.turn !== undefined) {
      this.#fresh.remove(publish.turn);
      publish.turn = undefined;
      return;
    }
    const index = this.#again.indexOf(publish);
    if (index >= 0) this.#again.splice(index, 1);
  }
}
