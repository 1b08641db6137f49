import type { DeliveryPlace, QueueSpec, WireDelivery } from "../driver/driver.js";
import { RELEASED_HEADER } from "../driver/reserved-headers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { OperatorCall } from "./operator-call.js";

/** Consumers miss what is held here, and each takes a little memory. */
const MAX_HELD_MESSAGES = 100_000;
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/**
 * To a broker that counts, each look is a delivery that was lost. After so many the message is stored anew, with its count
 * at nothing, long before a consumer or the broker would think that it kills whoever handles it.
 */
const MAX_COUNTED = 5;

/** What one operation has taken from the front of a queue: nobody else gets it until it is settled or given back. */
export class TakenMessages {
  readonly #call: OperatorCall;
  readonly #spec: QueueSpec;
  /** Each gives one of them back. */
  readonly #held: (() => Promise<boolean>)[] = [];
  #heldBytes = 0;
  /** Taken, and nothing decided yet. */
  #current: WireDelivery | undefined;

  constructor(call: OperatorCall, spec: QueueSpec) {
    this.#call = call;
    this.#spec = spec;
  }

  /** The next one, or undefined when no other is ready. What became of the last one must have been decided. */
  async next(): Promise<WireDelivery | undefined> {
    this.#current = await this.#call.ask(
      (connection) => {
        if (connection.take !== undefined) return connection.take(this.#spec);
        throw new MessagingError("INTERNAL", "the driver has no take, although its capability inspection says so");
      },
      (late) => void late?.settle("release"),
    );
    return this.#current;
  }

  /** The last one goes back at the end. Throws `REJECTED` when too much is held. */
  keep({ withBody }: { readonly withBody: boolean }): void {
    const delivery = this.#decided();
    const anew = isStoredAnew(delivery);
    this.#held.push(wayBack(delivery));
    if (withBody || anew) this.#heldBytes += delivery.message.body.byteLength;
    if (this.#held.length > MAX_HELD_MESSAGES) throw tooMany(`${MAX_HELD_MESSAGES} messages`);
    if (this.#heldBytes > MAX_HELD_BYTES) throw tooMany(`${MAX_HELD_BYTES / 1024 / 1024} MiB of bodies`);
  }

  /** The last one leaves the queue. Throws `UNAVAILABLE` if that did not reach the broker. */
  async remove(): Promise<void> {
    const delivery = this.#decided();
    if (await this.#call.ask(() => delivery.settle("ack"))) return;
    const { messageId } = delivery.message;
    throw new MessagingError("UNAVAILABLE", `the link was lost before message ${messageId} was removed`);
  }

  /** Everything, in the order in which it was taken. Never rejects. */
  async giveBack(): Promise<void> {
    const last = this.#current;
    if (last !== undefined) this.#held.push(wayBack(last));
    this.#current = undefined;
    await this.#call.giveBack(this.#held.splice(0));
  }

  #decided(): WireDelivery {
    const delivery = this.#current;
    if (delivery === undefined) throw new MessagingError("INTERNAL", "nothing was taken");
    this.#current = undefined;
    return delivery;
  }
}

function isStoredAnew({ deliveries }: WireDelivery): boolean {
  return deliveries !== undefined && deliveries > MAX_COUNTED;
}

/** Apart from each other, because functions that are made in one scope keep alive whatever any of them uses. */
function wayBack(delivery: WireDelivery): () => Promise<boolean> {
  return isStoredAnew(delivery) ? storingAnew(delivery) : releasing(delivery.place ?? delivery);
}

function storingAnew(delivery: WireDelivery): () => Promise<boolean> {
  const headers = { ...delivery.message.headers, [RELEASED_HEADER]: "1" };
  return () => delivery.settle({ retryInMs: 0, headers });
}

function releasing(place: Pick<DeliveryPlace, "settle">): () => Promise<boolean> {
  return () => place.settle("release");
}

function tooMany(what: string): MessagingError {
  const hint =
    "consume or purge some of the queue, select fewer, or use an adapter with the capability inspection: all";
  return new MessagingError("REJECTED", `more than ${what} would have to be held at once: ${hint}`, {
    retryable: false,
  });
}
