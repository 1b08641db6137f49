import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import type { DeliveredEvent } from "../../src/events/index.js";
import { onAbort } from "../../src/util/abort.js";
import { FrameWriter } from "./frame-writer.js";
import type { EventMsg } from "./gen/queue/EventMsg.js";
import type { SubscriptionRequest__Output } from "./gen/queue/SubscriptionRequest.js";
import { toEventMsg } from "./mapping.js";
import { StreamEnd } from "./stream-end.js";
import type { SubscriberStream } from "./subscriber-streams.js";

export type EventCall = ServerWritableStream<SubscriptionRequest__Output, EventMsg>;

/** What the transport has not taken of the events of one stream, before they have to wait. */
const MAX_UNWRITTEN_BYTES = 65_536;
const EVENT_BYTES = 128;

/** One SubscribeEvents call, as a sink. */
export class EventStream implements SubscriberStream {
  readonly ending: StreamEnd;
  readonly #writer: FrameWriter<EventMsg>;
  #onRoom: ((isThere: boolean) => void) | undefined;

  constructor(call: EventCall) {
    this.ending = new StreamEnd(call);
    this.#writer = new FrameWriter({
      stream: call,
      bodyBytes: ({ eventJson = "" }) => EVENT_BYTES + eventJson.length,
      onWritten: () => {
        if (!this.#writer.isFull) this.#resolveRoom(true);
      },
      maxUnwrittenBytes: MAX_UNWRITTEN_BYTES,
    });
    onAbort(this.ending.gone, () => {
      this.#writer.close();
      this.#resolveRoom(false);
    });
    // At once, not with the first event: a client can tell that it is subscribed.
    call.sendMetadata(new Metadata());
  }

  /** There is room again once the transport took enough, which it does as the reader makes room. */
  deliver(event: DeliveredEvent): boolean | Promise<boolean> {
    if (this.ending.hasBegun) return false;
    this.#writer.write(toEventMsg(event));
    if (!this.#writer.isFull) return true;
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  end(): Promise<void> {
    return this.ending.end();
  }

  finish(): Promise<void> {
    return this.ending.finish();
  }

  #resolveRoom(isThere: boolean): void {
    const onRoom = this.#onRoom;
    this.#onRoom = undefined;
    onRoom?.(isThere);
  }
}
