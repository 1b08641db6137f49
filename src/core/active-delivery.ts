import type { WireDelivery } from "../driver/driver.js";
import { FAILURES_HEADER, LOSSES_HEADER, RELEASED_HEADER } from "../driver/reserved-headers.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { Chained } from "../util/chain.js";
import { type Deferred, deferred } from "../util/deferred.js";
import type { Ending } from "../util/ending.js";
import type { Verdict } from "./verdict.js";

/**
 * A delivery that is ours to settle, from its arrival to its settlement. Settles once, whoever comes first. What only some
 * handlers ask for is made when they do.
 */
export class ActiveDelivery implements Chained<ActiveDelivery> {
  readonly wire: WireDelivery;
  /** Ends when the consumer that brought it is lost: then it is no longer ours. */
  readonly lost: Ending<MessagingError>;
  readonly failures: number;
  readonly losses: number;
  /** Kept by the chain of what is unsettled. */
  before: ActiveDelivery | undefined = undefined;
  after: ActiveDelivery | undefined = undefined;
  /** Where the broker takes back what is held for too long: when it came, by our clock. */
  arrivedAt = 0;
  /** It was told that this one is held for long. */
  isLongHeld = false;
  /** Its handler runs, and is in time. */
  isRunning = false;
  /** Its handler has used up its time. */
  isOverdue = false;
  /** Kept by the settler, from when it settles it: what it says, and since when. */
  verdict: Verdict | undefined = undefined;
  settlingSince = 0;
  #abort: AbortController | undefined;
  #onAborted: (() => void) | undefined;
  #abortReason: unknown;
  #aborted = false;
  #settled: Deferred<boolean> | undefined;
  /** Whether its settlement reached the broker, once that is known. */
  #reached: boolean | undefined;
  #taken = false;
  #wasLost = false;

  constructor(wire: WireDelivery, lost: Ending<MessagingError>) {
    this.wire = wire;
    this.lost = lost;
    const { headers } = wire.message;
    this.failures = count(headers[FAILURES_HEADER]);
    this.losses = count(headers[LOSSES_HEADER]) + Math.max(0, (wire.deliveries ?? 1) - 1);
  }

  get messageId(): string {
    return this.wire.message.messageId;
  }

  get isRedelivered(): boolean {
    const { message, redelivered } = this.wire;
    return redelivered || this.losses > 0 || this.failures > 0 || RELEASED_HEADER in message.headers;
  }

  get attempt(): number {
    return this.failures + 1;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  /** Whether somebody has settled it already. */
  get taken(): boolean {
    return this.#taken;
  }

  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#abortReason = reason;
    this.#onAborted?.();
    this.#abort?.abort(reason);
  }

  /** As one listener of the signal, which need not be made for it. */
  onAborted(listener: () => void): void {
    if (this.#aborted) listener();
    else this.#onAborted = listener;
  }

  /** Made when somebody looks at it: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** As its `Delivery` says; likewise. */
  get settled(): Promise<boolean> {
    if (this.#settled === undefined) {
      this.#settled = deferred<boolean>();
      if (this.#reached !== undefined) this.#settled.resolve(this.#reached);
    }
    return this.#settled.promise;
  }

  /** True: it is the caller's to settle, who then tells `onSettled`. False: somebody has settled it already. */
  take(): boolean {
    if (this.#taken) return false;
    this.#taken = true;
    this.#wasLost = this.lost.hasEnded;
    return true;
  }

  /** It was lost before it was settled: if the driver can still say anything, it gives the message back. */
  get wasLost(): boolean {
    return this.#wasLost;
  }

  /** The driver has answered. Returns whether the settlement that was asked for has reached the broker. */
  onSettled(reached: boolean): boolean {
    this.#decide(reached && !this.#wasLost);
    return reached && !this.#wasLost;
  }

  /** The handler's say no longer counts: it is told that its settlement is lost. */
  disown(): void {
    this.#decide(false);
  }

  #decide(reached: boolean): void {
    if (this.#reached !== undefined) return;
    this.#reached = reached;
    this.#settled?.resolve(reached);
  }

  /** The headers for another try, with these counts. */
  headersWith({ failures, losses }: { readonly failures: number; readonly losses: number }): Record<string, string> {
    const headers: Record<string, string> = { ...this.wire.message.headers };
    delete headers[LOSSES_HEADER];
    if (failures > 0) headers[FAILURES_HEADER] = String(failures);
    if (losses > 0) headers[LOSSES_HEADER] = String(losses);
    return headers;
  }
}

/** A header is text from outside: what is no count, counts as none. */
function count(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
