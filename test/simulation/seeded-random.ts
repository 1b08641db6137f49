import type { Random } from "../../src/ports/clock.js";

/** Random numbers that are the same for the same seed and stream: a change in what one stream is used for moves no other. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: string) {
    let hash = (seed ^ 0x9e3779b9) >>> 0;
    const mix = (value: number): number => {
      hash = Math.imul(hash ^ value, 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
      hash = (hash ^ (hash >>> 16)) >>> 0;
      return hash;
    };
    for (let index = 0; index < stream.length; index += 1) mix(stream.charCodeAt(index));
    mix(Math.floor(seed / 2 ** 32));
    this.#a = mix(1);
    this.#b = mix(2);
    this.#c = mix(3);
    for (let turn = 0; turn < 12; turn += 1) this.#next();
  }

  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  uuid(): string {
    const hex = [this.#next(), this.#next(), this.#next(), this.#next()]
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  /** A whole number, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(0, choices.length - 1)] as T;
  }

  /** The small sfc32 generator. */
  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }
}
