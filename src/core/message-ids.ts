import type { Random } from "../ports/clock.js";
import { systemRandom } from "./system-random.js";

/** The last digits of a UUID, counted through. */
const DIGITS = 3;
const SUFFIXES: readonly string[] = Array.from({ length: 16 ** DIGITS }, (_, count) =>
  count.toString(16).padStart(DIGITS, "0"),
);

/**
 * Ids for messages that bring none: UUIDs, of which each 4,096 in a row share 110 random bits and are told apart by the
 * other twelve. A random UUID for each would be a fifth of what a message costs in memory. A Random that was given may have its
 * differences in any of its digits: each of its ids is taken whole.
 */
export class MessageIds {
  readonly #random: Random;
  #prefix = "";
  #count = SUFFIXES.length;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): string {
    if (this.#random !== systemRandom) return this.#random.uuid();
    if (this.#count === SUFFIXES.length) {
      this.#prefix = prefixOf(this.#random.uuid());
      this.#count = 0;
    }
    const id = this.#prefix + SUFFIXES[this.#count];
    this.#count += 1;
    return id;
  }
}

/** Version 8: neither all of it random nor with a time in it. */
function prefixOf(uuid: string): string {
  return `${uuid.slice(0, 14)}8${uuid.slice(15, -DIGITS)}`;
}
