import type { DeliveryPlace, WireDelivery } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { Priority } from "../../ports/message.js";
import type { CoreContext } from "../core-context.js";
import { JointOutcomes } from "../joint-outcomes.js";
import { encodeError, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { ReplySender } from "./reply-sender.js";
import { requestQueue } from "./request-queue.js";

const PUT_BACK_TIMEOUT_MS = 5_000;

/** The places in the queue that one server holds, and the ways to let go of them. */
export class QueuePlaces {
  /** Settlements under way. */
  settling = 0;
  readonly #context: CoreContext;
  readonly #sink: string;
  readonly #replies: ReplySender;
  readonly #onSettled: () => void;
  /** Never rejects. */
  readonly #acked = new JointOutcomes<undefined, boolean>(
    () => this.#settled(),
    () => this.#settled(),
  );

  constructor(context: CoreContext, sink: string, replies: ReplySender, onSettled: () => void) {
    this.#context = context;
    this.#sink = sink;
    this.#replies = replies;
    this.#onSettled = onSettled;
  }

  /** Its call is over. */
  settle(place: DeliveryPlace, after?: Promise<void>): void {
    this.settling += 1;
    if (after === undefined) this.#acked.add(place.settle("ack"), undefined);
    else void after.then(() => place.settle("ack")).then(() => this.#settled());
  }

  /** There is nobody to be told. */
  drop(wire: WireDelivery, reason: string): void {
    const { observe } = this.#context;
    observe({ type: "discarded", source: this.#sink, reason, messageId: wire.message.messageId });
    this.settle(wire);
  }

  /** It cannot be run, and its caller is told why. */
  refuse(wire: WireDelivery, error: MessagingError): void {
    const { replyTo, correlationId, headers } = wire.message;
    if (replyTo !== undefined && correlationId !== undefined) {
      const own: Record<string, string> = {
        [FRAME_HEADER.version]: headers[FRAME_HEADER.version] === "V5" ? "V5" : "V4",
      };
      own[FRAME_HEADER.refused] = "true";
      const body = encodeError(error, false);
      this.#replies.sendLast(replyTo, { type: FRAME.error, correlationId, headers: own, contentType: JSON_TYPE, body });
    }
    this.drop(wire, error.message);
  }

  /** It may have run, and must not run twice. */
  refuseRedelivered(wire: WireDelivery): void {
    const text = `${this.#sink}: the request may have run already, and is not idempotent`;
    this.refuse(wire, new MessagingError("UNAVAILABLE", text));
  }

  /**
   * It never started. Given back by publishing it anew: released, it would come back as one that may have run. One that is
   * that already stays so.
   */
  putBack(lane: Priority, wire: WireDelivery): void {
    this.settling += 1;
    const release = (): Promise<boolean> => wire.settle("release");
    if (wire.redelivered) {
      void release().then(() => this.#settled());
      return;
    }
    const { outbox } = this.#context;
    const bounds = { what: `put back ${this.#sink}`, timeoutMs: PUT_BACK_TIMEOUT_MS, signal: undefined, resend: false };
    const again = outbox.publish({ kind: "queue", queue: requestQueue(this.#sink), lane }, wire.message, bounds);
    void again.then(() => wire.settle("ack"), release).then(() => this.#settled());
  }

  #settled(): void {
    this.settling -= 1;
    this.#onSettled();
  }
}

/** The request has been read, and is not kept for as long as its call runs. */
export function placeOf(wire: WireDelivery): DeliveryPlace {
  return wire.place ?? wire;
}
