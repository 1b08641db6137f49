import { settledWithin } from "./settled-within.js";

/** A link that is blocked must not hold up the other for long. */
const MOST_WAIT_MS = 1_000;

/**
 * The two links of a connection declare a queue one after the other. A new quorum queue that several links declare at the same
 * moment can cost one of them its connection (541 INTERNAL_ERROR, seen on 3.10.8 once in thirty).
 */
export class DeclarationTurns {
  readonly #underWay = new Map<string, Promise<void>>();

  /** Rejects with what `declare` rejects with. */
  async run(queue: string, declare: () => Promise<void>): Promise<void> {
    const before = this.#underWay.get(queue);
    const mine = before === undefined ? declare() : settledWithin(MOST_WAIT_MS, () => before).then(declare);
    this.#underWay.set(queue, mine);
    try {
      await mine;
    } finally {
      if (this.#underWay.get(queue) === mine) this.#underWay.delete(queue);
    }
  }
}
