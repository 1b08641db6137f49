import { isText } from "./known-texts.js";

/** A text that mostly is the same as in the message before: comparing it costs less than to look it up, or to make it. */
export class LastText {
  readonly #readOther: (bytes: Buffer, from: number, to: number) => string;
  #text = "";

  constructor(readOther: (bytes: Buffer, from: number, to: number) => string) {
    this.#readOther = readOther;
  }

  read(bytes: Buffer, from: number, to: number): string {
    if (!isText(this.#text, bytes, from, to)) this.#text = this.#readOther(bytes, from, to);
    return this.#text;
  }
}
