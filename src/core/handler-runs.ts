import type { Codec } from "../ports/codec.js";
import type { DeliveryHandler } from "../ports/queue.js";
import { toError } from "../util/error-text.js";
import type { ActiveDelivery } from "./active-delivery.js";
import type { CoreContext } from "./core-context.js";
import { HandledDelivery } from "./handled-delivery.js";
import { INTERRUPTED, type Verdict, verdictOf, verdictOfError } from "./verdict.js";

export interface HandlerRunsOptions<T> {
  readonly context: CoreContext;
  /** For the observers. */
  readonly queue: string;
  readonly codec: Codec<T>;
  readonly handler: DeliveryHandler<T>;
  /** Its handler has ended. Never before `begin` returns. */
  onEnd(delivery: ActiveDelivery, verdict: Verdict): void;
}

/** Calls the handlers, and judges by what they return or throw. */
export class HandlerRuns<T> {
  readonly #options: HandlerRunsOptions<T>;
  readonly #idle: HandlerRun<T>[] = [];

  constructor(options: HandlerRunsOptions<T>) {
    this.#options = options;
  }

  begin(delivery: ActiveDelivery): void {
    const run = this.#idle.pop() ?? new HandlerRun(this.#options, this.#idle);
    run.begin(delivery);
  }
}

/** One handler at a time, one after the other, so that what waits for its end need not be made for each message. */
class HandlerRun<T> {
  readonly #options: HandlerRunsOptions<T>;
  readonly #idle: HandlerRun<T>[];
  #delivery: ActiveDelivery | undefined;

  constructor(options: HandlerRunsOptions<T>, idle: HandlerRun<T>[]) {
    this.#options = options;
    this.#idle = idle;
  }

  begin(delivery: ActiveDelivery): void {
    this.#delivery = delivery;
    this.#call(delivery).then(this.#onReturned, this.#onThrown);
  }

  /** In a promise, whatever the handler makes of it. */
  #call(delivery: ActiveDelivery): Promise<unknown> {
    const { codec, handler } = this.#options;
    try {
      return Promise.resolve(handler(new HandledDelivery(codec, delivery)));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  readonly #onReturned = (settlement: unknown): void => {
    let verdict: Verdict;
    try {
      verdict = verdictOf(settlement);
    } catch (error) {
      this.#onThrown(error);
      return;
    }
    this.#end(verdict);
  };

  readonly #onThrown = (thrown: unknown): void => {
    const delivery = this.#delivery;
    if (delivery !== undefined) this.#end(this.#judge(delivery, thrown));
  };

  #judge(delivery: ActiveDelivery, thrown: unknown): Verdict {
    // Its failure has been told, and settled.
    if (delivery.isOverdue) return INTERRUPTED;
    const { context, queue } = this.#options;
    const { observe, random } = context;
    observe({ type: "handler-failed", source: queue, messageId: delivery.messageId, error: toError(thrown) });
    // Interrupted by us, so no fault of the message or the handler.
    if (delivery.aborted) return INTERRUPTED;
    return verdictOfError(thrown, delivery.failures, random.fraction());
  }

  #end(verdict: Verdict): void {
    const delivery = this.#delivery;
    if (delivery === undefined) return;
    this.#delivery = undefined;
    this.#idle.push(this);
    this.#options.onEnd(delivery, verdict);
  }
}
