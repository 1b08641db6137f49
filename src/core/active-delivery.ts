import type { WireDelivery, WireSettlement } from "../driver/driver.js";
import { FAILURES_HEADER, LOSSES_HEADER, RELEASED_HEADER } from "../driver/reserved-headers.js";
import type { MessagingError } from "../errors/messaging-error.js";
import type { Delivery, IncomingMessage } from "../ports/message.js";
import { deferred } from "../util/deferred.js";
import type { Ending } from "../util/ending.js";

/** A delivery that is ours to settle, from its arrival to its settlement. Settles once, whoever comes first. */
export class ActiveDelivery {
  readonly wire: WireDelivery;
  /** Ends when the consumer that brought it is lost: then it is no longer ours. */
  readonly lost: Ending<MessagingError>;
  readonly failures: number;
  readonly losses: number;
  /** Made when somebody looks at it: most handlers never do. */
  #abort: AbortController | undefined;
  #abortReason: unknown;
  #aborted = false;
  readonly #settled = deferred<boolean>();
  #taken = false;

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

  get #isRedelivered(): boolean {
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
    this.#abort?.abort(reason);
  }

  get #signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  /** What the handler sees of it. */
  forHandler<T>(message: IncomingMessage<T>): Delivery<T> {
    const signal = (): AbortSignal => this.#signal;
    return {
      ...message,
      redelivered: this.#isRedelivered,
      attempt: this.attempt,
      settled: this.#settled.promise,
      get signal() {
        return signal();
      },
    };
  }

  /**
   * Resolves true if the settlement reached the broker. A second settlement is not sent, and resolves false. One that
   * comes after the loss resolves false too: if the driver can still say anything, it gives the message back.
   */
  async settle(settlement: WireSettlement): Promise<boolean> {
    if (this.#taken) return false;
    this.#taken = true;
    const isLost = this.lost.hasEnded;
    const reached = (await this.wire.settle(isLost ? "release" : settlement)) && !isLost;
    this.#settled.resolve(reached);
    return reached;
  }

  /** The handler's say no longer counts: it is told that its settlement is lost. */
  disown(): void {
    this.#settled.resolve(false);
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
