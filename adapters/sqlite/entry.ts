import type { WireMessage } from "../../src/driver/driver.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import { sizeOfHeaders } from "./mapping.js";

export const DELAYED = 1;
export const RELEASED = 2;

/** Where a message is, in the file. */
export interface Key {
  /** By its number. */
  readonly queue: number;
  readonly lane: number;
  readonly due: number;
  readonly id: number;
}

/** What was handed out together, and is not settled. One row in the file. */
export interface Lease {
  readonly no: number;
  readonly entries: Set<Entry>;
}

/** Who has entries that are handed out. */
export interface Holder {
  /** It has the entry. */
  keep(entry: Entry): void;
  /** It has it no more. */
  takeOut(entry: Entry): void;
}

/** A message that this process has in its hands: about to be stored, handed out, or on its way back. */
export class Entry implements Key {
  readonly queue: number;
  readonly lane: number;
  readonly id: number;
  readonly message: WireMessage;
  /** Milliseconds since the epoch; with the id, its place in the lane. */
  due = 0;
  /** Deliveries that ended without a settlement. */
  losses = 0;
  /** Given back unhandled at least once. */
  isReleased = false;
  /** Its time came, or is to come, by a delay. */
  isDelayed = false;
  /** Milliseconds since the epoch; undefined: never. */
  expires: number | undefined = undefined;
  /** Who has it; undefined: nobody. */
  holder: Holder | undefined = undefined;
  /** Its place among what the holder has. */
  index = -1;
  lease: Lease | undefined = undefined;
  handedOutAt = 0;
  /** Of its body, which need not be here. */
  bodyBytes: number;
  /** Its body is here. */
  isWhole = true;

  constructor(queue: number, lane: number, id: number, message: WireMessage) {
    this.queue = queue;
    this.lane = lane;
    this.id = id;
    this.message = message;
    this.bodyBytes = message.body.byteLength;
  }

  /** With its headers. */
  get bytes(): number {
    return this.bodyBytes + sizeOfHeaders(this.message.headers);
  }

  /** The same message, in another place and with other headers. */
  withHeaders(queue: number, headers: MessageHeaders): Entry {
    const next = new Entry(queue, this.lane, this.id, { ...this.message, headers });
    next.isWhole = this.isWhole;
    next.bodyBytes = this.bodyBytes;
    return next;
  }

  get flags(): number {
    return (this.isDelayed ? DELAYED : 0) | (this.isReleased ? RELEASED : 0);
  }
}

export function isBefore(a: { due: number; id: number }, b: { due: number; id: number }): boolean {
  return a.due < b.due || (a.due === b.due && a.id < b.id);
}
