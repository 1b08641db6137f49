import { deadLetterHeaders } from "../driver/dead-letter-headers.js";
import type { QueueSpec, WireSettlement } from "../driver/driver.js";
import { RELEASED_HEADER } from "../driver/reserved-headers.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { Cancel } from "../ports/clock.js";
import type { Ending } from "../util/ending.js";
import type { ActiveDelivery } from "./active-delivery.js";
import type { CoreContext } from "./core-context.js";
import { JointOutcomes } from "./joint-outcomes.js";
import type { ResolvedConsumeOptions } from "./options.js";
import { retryInPlace, type Verdict } from "./verdict.js";

type Limits = Pick<ResolvedConsumeOptions, "maxAttempts" | "maxDeliveries">;

/** Shorter waits are kept here: a broker's delays have a grain of a second. */
const HELD_BELOW_MS = 1_000;

/** A reason travels in a header, and brokers bound those. */
const MAX_REASON_LENGTH = 1_000;

interface Held {
  readonly cancel: Cancel;
  /** Settles it, with what is left of its wait. */
  go(): void;
}

/** Turns verdicts into settlements: counts failures, knows when it is enough, and holds short retries. */
export class Settler {
  readonly #context: CoreContext;
  readonly #spec: QueueSpec;
  readonly #limits: Limits;
  readonly #onSettled: (delivery: ActiveDelivery) => void;
  readonly #sent: JointOutcomes<ActiveDelivery, boolean>;
  readonly #held = new Map<ActiveDelivery, Held>();
  #mayHold = true;

  /** `onSettled` is called once for each delivery that is given in, when nothing is left to do for it; it must not throw. */
  constructor(context: CoreContext, spec: QueueSpec, limits: Limits, onSettled: (delivery: ActiveDelivery) => void) {
    this.#context = context;
    this.#spec = spec;
    this.#limits = limits;
    this.#onSettled = onSettled;
    this.#sent = new JointOutcomes(
      (delivery, reached) => this.#onSent(delivery, reached),
      (delivery) => this.#onSent(delivery, false),
    );
  }

  /** Settles by the verdict, now or when its wait is over. */
  settle(delivery: ActiveDelivery, verdict: Verdict): void {
    const final = this.#final(delivery, verdict);
    const isLate = delivery.lost.hasEnded || delivery.isOverdue;
    if (final.kind === "retry" && final.retryInMs > 0 && !isLate && this.#isHeld(final.retryInMs)) {
      this.#hold(delivery, final);
    } else {
      this.#send(delivery, final);
    }
  }

  /** Where the broker does not count its deliveries: stores it anew, to come again with its losses counted. */
  countLoss(delivery: ActiveDelivery, losses: number): void {
    const headers = delivery.headersWith({ failures: delivery.failures, losses });
    this.#hand(delivery, { retryInMs: 0, headers });
  }

  /** What is held goes back now, its failure counted and its wait left to the broker as far as that can delay. */
  endHolds(): void {
    this.#mayHold = false;
    this.#go(() => true);
  }

  /** It may be held no longer. False: it is not held here. */
  endHold(delivery: ActiveDelivery): boolean {
    const held = this.#held.get(delivery);
    held?.cancel();
    held?.go();
    return held !== undefined;
  }

  /** What came through a lost life is not ours to hold. */
  dropHolds(lost: Ending<MessagingError>): void {
    this.#go((delivery) => delivery.lost === lost);
  }

  #go(which: (delivery: ActiveDelivery) => boolean): void {
    for (const [delivery, { cancel, go }] of this.#held) {
      if (!which(delivery)) continue;
      cancel();
      go();
    }
  }

  /** A failure too many is a dead letter; where there is no queue for dead letters, it is tried again. */
  #final(delivery: ActiveDelivery, verdict: Verdict): Verdict {
    let final = verdict;
    if (final.kind === "retry" && final.limited && delivery.attempt >= this.#limits.maxAttempts) {
      final = { kind: "dead-letter", reason: `attempts used up: ${final.reason ?? "failed"}`, isHandled: true };
    }
    if (final.kind === "dead-letter" && this.#spec.deadLetterQueue === undefined) {
      // The wait that the verdict asked for stands, if it asked for one.
      if (verdict.kind === "retry" && verdict.retryInMs > 0) return { ...verdict, limited: false };
      return retryInPlace(final.reason, delivery.failures, this.#context.random.fraction());
    }
    return final;
  }

  #settlement(delivery: ActiveDelivery, verdict: Verdict): WireSettlement {
    switch (verdict.kind) {
      case "ack":
        return "ack";
      case "release":
        return this.#release(delivery, verdict.why);
      case "retry":
        // A settlement is no loss, so that the count of losses begins anew.
        return {
          retryInMs: this.#canDelay ? Math.ceil(verdict.retryInMs) : 0,
          headers: delivery.headersWith({ failures: delivery.attempt, losses: 0 }),
        };
      case "dead-letter":
        return {
          deadLetter: deadLetterHeaders(delivery.wire.message.headers, {
            reason: verdict.reason.slice(0, MAX_REASON_LENGTH),
            queue: this.#spec.name,
            at: this.#context.clock.now(),
            attempts: verdict.isHandled ? delivery.attempt : delivery.failures,
          }),
        };
    }
  }

  /**
   * To a broker, a message that is given back looks like one that was lost. Where losses are limited, one that a handler
   * chose to give back is therefore stored anew, and one that was never started is when the next loss would be its last.
   */
  #release(delivery: ActiveDelivery, why: "chosen" | "not-started" | "interrupted"): WireSettlement {
    const { maxDeliveries } = this.#limits;
    const isLast = delivery.losses + 1 >= maxDeliveries;
    const storedAnew = why === "chosen" ? maxDeliveries !== Number.POSITIVE_INFINITY : why === "not-started" && isLast;
    if (!storedAnew) return "release";
    const losses = why === "chosen" ? 0 : delivery.losses;
    return {
      retryInMs: 0,
      headers: { ...delivery.headersWith({ failures: delivery.failures, losses }), [RELEASED_HEADER]: "1" },
    };
  }

  get #canDelay(): boolean {
    return this.#context.driver.capabilities.queue.delayedDelivery && !this.#spec.lanes;
  }

  #isHeld(retryInMs: number): boolean {
    return this.#mayHold && (retryInMs < HELD_BELOW_MS || !this.#canDelay);
  }

  #hold(delivery: ActiveDelivery, verdict: Verdict & { kind: "retry" }): void {
    const { clock } = this.#context;
    const due = clock.now() + verdict.retryInMs;
    const go = (): void => {
      this.#held.delete(delivery);
      const retryInMs = Math.max(0, due - clock.now());
      this.#send(delivery, { ...verdict, retryInMs });
    };
    this.#held.set(delivery, { cancel: clock.setTimer(verdict.retryInMs, go), go });
  }

  #send(delivery: ActiveDelivery, verdict: Verdict): void {
    delivery.verdict = verdict;
    this.#hand(delivery, this.#settlement(delivery, verdict));
  }

  /** A second settlement is not sent. */
  #hand(delivery: ActiveDelivery, settlement: WireSettlement): void {
    if (!delivery.take()) return;
    if (this.#context.isObserved) delivery.settlingSince = this.#context.clock.now();
    this.#sent.add(handOver(delivery, delivery.wasLost ? "release" : settlement), delivery);
  }

  #onSent(delivery: ActiveDelivery, answer: boolean): void {
    const reached = delivery.onSettled(answer);
    const { verdict } = delivery;
    if (verdict !== undefined && this.#context.isObserved) this.#observe(delivery, verdict, reached);
    this.#onSettled(delivery);
  }

  #observe(delivery: ActiveDelivery, verdict: Verdict, reached: boolean): void {
    const { clock, observe } = this.#context;
    observe({
      type: "settled",
      queue: this.#spec.name,
      messageId: delivery.messageId,
      attempt: delivery.attempt,
      outcome: verdict.kind,
      reason: "reason" in verdict ? verdict.reason : undefined,
      ms: clock.now() - delivery.settlingSince,
      reached,
    });
  }
}

/** A driver that throws, which it must not, has not settled it. */
function handOver({ wire }: ActiveDelivery, settlement: WireSettlement): Promise<boolean> {
  try {
    return Promise.resolve(wire.settle(settlement));
  } catch (error) {
    return Promise.reject(error);
  }
}
