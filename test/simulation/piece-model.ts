/** The pieces of one response that have come. */
export class PieceModel {
  readonly #sizes = new Map<number, number>();
  /** How many they are in all: what is sent again may come after that was told. */
  #count: number | undefined;

  /** The size of the whole, once it is there. `piece` is undefined for one that only tells how many there are. */
  add(piece: number | undefined, bytes: number, pieces: number | undefined): number | undefined {
    if (piece !== undefined) this.#sizes.set(piece, bytes);
    this.#count = pieces ?? this.#count;
    if (this.#count === undefined || this.#sizes.size < this.#count) return undefined;
    this.#count = undefined;
    const whole = [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    this.#sizes.clear();
    return whole;
  }
}
