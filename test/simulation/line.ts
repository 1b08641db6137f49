import { Ring } from "../../src/util/ring.js";
import type { World } from "./world.js";

/** One way of one channel: what is pushed arrives later, in order, unless the line is cut first. */
export class Line {
  readonly #world: World;
  readonly #latencyMs: () => number;
  readonly #underWay = new Ring<() => void>();
  #lastAt = 0;
  #frozenUntil: number;
  #isCut = false;

  constructor(world: World, latencyMs: () => number, frozenUntil = 0) {
    this.#world = world;
    this.#latencyMs = latencyMs;
    this.#frozenUntil = frozenUntil;
  }

  /** How many are under way. */
  get size(): number {
    return this.#underWay.size;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  push(arrive: () => void): void {
    if (this.#isCut) return;
    const { now } = this.#world;
    this.#lastAt = Math.max(this.#lastAt, this.#frozenUntil, now + this.#latencyMs());
    this.#underWay.push(arrive);
    this.#world.after(this.#lastAt - now, this.#arrive);
  }

  /** Nothing arrives before this time. */
  freezeUntil(at: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, at);
  }

  /** What is under way is lost, and so is what is pushed from now on. */
  cut(): void {
    this.#isCut = true;
    this.#underWay.clear();
  }

  /** Always the first of those under way, so that no freezing changes their order. */
  readonly #arrive = (): void => {
    const { now } = this.#world;
    if (this.#isCut) return;
    if (now < this.#frozenUntil) this.#world.after(this.#frozenUntil - now, this.#arrive);
    else this.#underWay.shift()?.();
  };
}
