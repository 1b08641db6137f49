import type { MessageHeaders } from "../../ports/message.js";
import { Ring } from "../../util/ring.js";
import type { EncodedBody } from "./body-codecs.js";
import { MAX_WINDOW } from "./call-options.js";

export interface OutgoingBody extends EncodedBody {
  readonly headers: MessageHeaders | undefined;
}

/** Where responses that were sent are counted for as long as they are kept. */
export interface ResponseBudget {
  /** More is kept, or less. */
  count(bytes: number): void;
}

/**
 * The responses of one call that its caller has not taken, and how many more it may be sent: absolute numbers, so that a
 * grant that is lost or repeated does no harm. With a budget they are kept, so that they can be sent again; without one,
 * what was sent leaves its size.
 */
export class SentResponses {
  /** From the one after the last that was taken. A number is the size of the body of one that is not kept. */
  readonly #untaken = new Ring<OutgoingBody | number>();
  readonly #windowBytes: number;
  readonly #budget: ResponseBudget | undefined;
  #untakenBytes = 0;
  #keptBytes = 0;
  #consumed = 0;
  #grantedUpTo: number;

  constructor(window: number, windowBytes: number, budget: ResponseBudget | undefined) {
    this.#grantedUpTo = window;
    this.#windowBytes = windowBytes;
    this.#budget = budget;
  }

  /** The highest sequence that was taken. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Of what was sent whole and can be sent again, with its headers. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Whether a response may follow the one with this sequence. */
  allows(sequence: number): boolean {
    if (sequence >= this.#grantedUpTo) return false;
    return sequence === this.#consumed || this.#untakenBytes < this.#windowBytes;
  }

  push(body: OutgoingBody): void {
    this.#untaken.push(body);
    this.#untakenBytes += body.bytes.byteLength;
  }

  /** Undefined: it is not kept any more. */
  at(sequence: number): OutgoingBody | undefined {
    const body = this.#untaken.at(sequence - this.#consumed - 1);
    return typeof body === "number" ? undefined : body;
  }

  /** The first after all that are not kept. */
  firstKept(sequence: number): number {
    let first = sequence + 1;
    while (first > this.#consumed + 1 && this.at(first - 1) !== undefined) first -= 1;
    return first;
  }

  /** It was sent to its end, for the first time. */
  sentWhole(sequence: number): void {
    const body = this.at(sequence);
    if (body === undefined) return;
    if (this.#budget === undefined) {
      this.#untaken.replace(sequence - this.#consumed - 1, body.bytes.byteLength);
      return;
    }
    const bytes = keptBytesOf(body);
    this.#keptBytes += bytes;
    this.#budget.count(bytes);
  }

  /** Returns whether something was taken that was not known of. */
  grant(consumed: number, grantedUpTo: number): boolean {
    const isNews = consumed > this.#consumed;
    let keptBytes = 0;
    for (; this.#consumed < consumed; this.#consumed += 1) {
      const body = this.#untaken.shift() ?? 0;
      const bytes = typeof body === "number" ? body : body.bytes.byteLength;
      this.#untakenBytes -= bytes;
      if (typeof body !== "number") keptBytes += keptBytesOf(body);
    }
    this.#grantedUpTo = Math.max(this.#grantedUpTo, Math.min(grantedUpTo, this.#consumed + MAX_WINDOW));
    this.#release(keptBytes);
    return isNews;
  }

  /** What was sent whole, up to this sequence, is not kept. */
  drop(whole: number): void {
    for (let sequence = this.#consumed + 1; sequence <= whole; sequence += 1) {
      const body = this.at(sequence);
      if (body !== undefined) this.#untaken.replace(sequence - this.#consumed - 1, body.bytes.byteLength);
    }
    this.#release(this.#keptBytes);
  }

  /** What follows this sequence will not be sent. */
  dropAfter(sequence: number): void {
    for (let index = Math.max(0, sequence - this.#consumed); index < this.#untaken.size; index += 1) {
      const body = this.#untaken.at(index) ?? 0;
      this.#untakenBytes -= typeof body === "number" ? body : body.bytes.byteLength;
      this.#untaken.replace(index, 0);
    }
  }

  clear(): void {
    this.#untaken.clear();
    this.#release(this.#keptBytes);
  }

  #release(bytes: number): void {
    if (this.#budget === undefined || bytes === 0) return;
    this.#keptBytes -= bytes;
    this.#budget.count(-bytes);
  }
}

function keptBytesOf({ bytes, headers }: OutgoingBody): number {
  let size = bytes.byteLength;
  if (headers !== undefined) for (const [name, value] of Object.entries(headers)) size += name.length + value.length;
  return size;
}
