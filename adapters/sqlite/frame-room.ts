import type { Turns } from "./turns.js";

const HAS_ROOM = Promise.resolve();
/** So many frames in one turn of the event loop; then their sender waits for the next one. */
const FRAMES_PER_TURN = 1_024;

/** Room for frames, which need no confirm. */
export class FrameRoom {
  readonly #turns: Turns;
  #frames = 0;
  #turn: Promise<void> | undefined;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** Resolves when there is room for another frame. */
  next(): Promise<void> {
    this.#frames += 1;
    return this.#frames < FRAMES_PER_TURN ? HAS_ROOM : this.nextTurn();
  }

  /** The next turn of the event loop. */
  nextTurn(): Promise<void> {
    this.#turn ??= new Promise((resolve) => {
      this.#turns.next(() => {
        this.#turn = undefined;
        this.#frames = 0;
        resolve();
      });
    });
    return this.#turn;
  }
}
