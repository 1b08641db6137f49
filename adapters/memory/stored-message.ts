import type { WireMessage } from "../../src/driver/driver.js";

/** Where a message is: always exactly one of these. */
export type Place = "delayed" | "ready" | "out" | "gone";

/** What a message that has left is replaced by, so that its body is not kept alive by a place in a ring. */
const NOTHING: WireMessage = {
  messageId: "",
  contentType: "",
  headers: {},
  body: new Uint8Array(0),
  timestamp: 0,
  persistent: false,
};

/** When something is to happen to a message by itself. */
export interface Due {
  readonly stored: StoredMessage;
  readonly at: number;
  /** Breaks ties between equal times. */
  readonly order: number;
  /** Kept by the heap that it is in; -1: none. */
  index: number;
}

/** One message in a queue. */
export class StoredMessage {
  message: WireMessage;
  readonly bytes: number;
  /** Index into the queue's lanes. */
  readonly lane: number;
  /** Undefined: never. */
  readonly expiresAt: number | undefined;
  place: Place = "delayed";
  /** Orders a lane; given when it becomes ready, kept when it comes back. */
  sequence = 0;
  /** When it became ready, in milliseconds since the epoch; kept when it comes back. */
  readyAt = 0;
  /** Deliveries that ended without a settlement. */
  losses = 0;
  /** Given back unhandled at least once. */
  released = false;
  /** Undefined for most: what is neither delayed nor expires has nothing to wait for. */
  due: Due | undefined = undefined;

  constructor(message: WireMessage, bytes: number, lane: number, expiresAt: number | undefined) {
    this.message = message;
    this.bytes = bytes;
    this.lane = lane;
    this.expiresAt = expiresAt;
  }

  /** It has left: whoever still points at it passes it over. */
  leave(): void {
    this.place = "gone";
    this.message = NOTHING;
  }
}

/** What a message counts for: its body, and its headers as text. */
export function sizeOf(message: WireMessage): number {
  let bytes = message.body.byteLength;
  for (const name in message.headers) bytes += name.length + (message.headers[name]?.length ?? 0);
  return bytes;
}
