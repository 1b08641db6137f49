import { deadLetterHeaders } from "../driver/dead-letter-headers.js";
import type { QueueSpec, WireSettlement } from "../driver/driver.js";
import { RELEASED_HEADER } from "../driver/reserved-headers.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { Cancel } from "../ports/clock.js";
import type { Observation } from "../ports/observer.js";
import type { Ending } from "../util/ending.js";
import type { ActiveDelivery } from "./active-delivery.js";
import type { CoreContext } from "./core-context.js";
import type { ResolvedConsumeOptions } from "./options.js";
import { retryInPlace, type Verdict } from "./verdict.js";

type Limits = Pick<ResolvedConsumeOptions, "maxAttempts" | "maxDeliveries">;

/** Shorter waits are kept here: a broker's delays have a grain of a second. */
const HELD_BELOW_MS = 1_000;

/** Turns verdicts into settlements: counts failures, knows when it is enough, and holds short retries. */
export class Settler {
  readonly #context: CoreContext;
  readonly #spec: QueueSpec;
  readonly #limits: Limits;
  readonly #held = new Map<ActiveDelivery, { readonly cancel: Cancel; readonly go: () => void }>();

  constructor(context: CoreContext, spec: QueueSpec, limits: Limits) {
    this.#context = context;
    this.#spec = spec;
    this.#limits = limits;
  }

  /** Settles by the verdict, now or when its wait is over; `done` is called once, when nothing is left to do. */
  settle(delivery: ActiveDelivery, verdict: Verdict, done: () => void): void {
    const final = this.#final(delivery, verdict);
    if (final.kind === "retry" && final.retryInMs > 0 && this.#isHeld(final.retryInMs))
      this.#hold(delivery, final, done);
    else void this.#send(delivery, this.#settlement(delivery, final), final).then(done);
  }

  /** Ends the waits that are on, of one life or of all: what is held goes back now, with its failure counted. */
  flush(lost?: Ending<MessagingError>): void {
    for (const [delivery, { cancel, go }] of this.#held) {
      if (lost !== undefined && delivery.lost !== lost) continue;
      cancel();
      go();
    }
  }

  /** A failure too many is a dead letter; where there is no queue for dead letters, it is tried again. */
  #final(delivery: ActiveDelivery, verdict: Verdict): Verdict {
    let final = verdict;
    if (final.kind === "retry" && final.limited && delivery.attempt >= this.#limits.maxAttempts) {
      final = { kind: "dead-letter", reason: `attempts used up: ${final.reason ?? "failed"}` };
    }
    if (final.kind === "dead-letter" && this.#spec.deadLetterQueue === undefined) {
      const { failures } = delivery;
      // The wait that the verdict asked for stands, if it asked for one.
      if (verdict.kind === "retry" && verdict.retryInMs > 0) return { ...verdict, limited: false };
      return retryInPlace(final.reason, failures, this.#context.random.fraction());
    }
    return final;
  }

  #settlement(delivery: ActiveDelivery, verdict: Verdict): WireSettlement {
    switch (verdict.kind) {
      case "ack":
        return "ack";
      case "release":
        return this.#release(delivery, verdict.isChosen);
      case "retry":
        return {
          retryInMs: Math.ceil(verdict.retryInMs),
          headers: delivery.headersForRetry({ failures: delivery.attempt }),
        };
      case "dead-letter":
        return {
          deadLetter: deadLetterHeaders(delivery.wire.message.headers, {
            reason: verdict.reason,
            queue: this.#spec.name,
            at: this.#context.clock.now(),
            attempts: delivery.attempt,
          }),
        };
    }
  }

  /**
   * To a broker, a message that is given back looks like one that was lost. Where losses are limited, one that a handler
   * chose to give back is therefore stored anew, so that a choice never ends as a crash loop.
   */
  #release(delivery: ActiveDelivery, isChosen: boolean): WireSettlement {
    if (!isChosen || this.#limits.maxDeliveries === Number.POSITIVE_INFINITY) return "release";
    return { retryInMs: 0, headers: { ...delivery.headersForRetry({}), [RELEASED_HEADER]: "1" } };
  }

  #isHeld(retryInMs: number): boolean {
    return retryInMs < HELD_BELOW_MS || !this.#context.driver.capabilities.queue.delayedDelivery;
  }

  #hold(delivery: ActiveDelivery, verdict: Verdict & { kind: "retry" }, done: () => void): void {
    const settlement = this.#settlement(delivery, { ...verdict, retryInMs: 0 });
    const go = (): void => {
      this.#held.delete(delivery);
      void this.#send(delivery, settlement, verdict).then(done);
    };
    const cancel = this.#context.clock.setTimer(verdict.retryInMs, go);
    this.#held.set(delivery, { cancel, go });
  }

  async #send(delivery: ActiveDelivery, settlement: WireSettlement, verdict: Verdict): Promise<void> {
    const { clock, observe } = this.#context;
    const started = clock.now();
    const reached = await delivery.settle(settlement);
    const observation: Observation = {
      type: "settled",
      queue: this.#spec.name,
      messageId: delivery.messageId,
      attempt: delivery.attempt,
      outcome: verdict.kind,
      reason: "reason" in verdict ? verdict.reason : undefined,
      ms: clock.now() - started,
      reached,
    };
    observe(observation);
  }
}
