import type { ClientSecurityOptions } from "../../adapters/grpc/index.js";
import { systemClock } from "../core/system-clock.js";
import { systemRandom } from "../core/system-random.js";
import { onAbort } from "../util/abort.js";
import { type BackoffOptions, backoffMs } from "../util/backoff.js";
import { CallFailed, type StatusName } from "./call-failed.js";
import { serverFailure } from "./client-flags.js";
import { DistinctTokens } from "./distinct-tokens.js";
import { eventLine, type ReceivedEvent } from "./event-line.js";
import { oneLine } from "./failure.js";
import { QueueApi } from "./queue-api.js";
import { sleep } from "./sleep.js";

export interface SubscriberOrder {
  readonly server: string;
  readonly security: ClientSecurityOptions;
  readonly clientId: string;
  /** For the first stream to open. */
  readonly timeoutMs: number;
  /** Of different events. */
  readonly count: number;
  /** What each event is acknowledged with. */
  readonly success: boolean;
}

const RESUBSCRIBE: BackoffOptions = { firstMs: 200, maxMs: 5_000 };
/** Trying again would come to the same. */
const PERMANENT: ReadonlySet<StatusName> = new Set([
  "INVALID_ARGUMENT",
  "UNIMPLEMENTED",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
]);
const ACK_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 2_000;
/** A server that ignores its own limit must not fill the memory. */
const MAX_UNACKNOWLEDGED = 1_000;
const MAX_TOKENS = 1_000_000;

/** One subscriber, from its first stream to its Close: prints and acknowledges what comes, and counts. */
export class SubscriberRun {
  readonly #order: SubscriberOrder;
  readonly #api: QueueApi;
  readonly #stop: AbortSignal;
  /** Ends streams and waits. */
  readonly #over = new AbortController();
  readonly #unacknowledged = new Set<Promise<void>>();
  readonly #tokens = new DistinctTokens(MAX_TOKENS);
  #received = 0;
  #acknowledged = 0;
  #duplicates = 0;
  #wasLive = false;
  #failure: Error | undefined;
  #lastFailure: CallFailed | undefined;
  #finishing: Promise<void> | undefined;

  constructor(order: SubscriberOrder, stop: AbortSignal) {
    this.#order = order;
    this.#stop = stop;
    this.#api = new QueueApi(order.server, order.security);
  }

  get received(): number {
    return this.#received;
  }

  get summary(): string {
    const [acked, nacked] = this.#order.success ? [this.#acknowledged, 0] : [0, this.#acknowledged];
    const counts = `${this.#received} received, ${acked} acked, ${this.#duplicates} duplicates`;
    return this.#order.success ? counts : `${counts}, ${nacked} nacked`;
  }

  /** Resolves after the last event, or when stopped. Rejects if the server cannot be reached, or refuses. */
  async untilDone(): Promise<void> {
    const { timeoutMs } = this.#order;
    const cancelGiveUp = systemClock.setTimer(timeoutMs, () => this.#giveUp());
    const forget = onAbort(this.#stop, () => void this.#finish());
    try {
      for (let failures = 1; !this.#over.signal.aborted; failures += 1) {
        const since = performance.now();
        await this.#readStream(cancelGiveUp);
        if (this.#finishing !== undefined) break;
        // One that ends again soon after it began is waited for longer each time: somebody may fight for the client id.
        if (performance.now() - since > RESUBSCRIBE.maxMs) failures = 1;
        await sleep(backoffMs(failures, systemRandom.fraction(), RESUBSCRIBE), this.#over.signal);
      }
      await this.#finishing;
      if (this.#failure !== undefined) throw this.#failure;
    } finally {
      cancelGiveUp();
      forget();
      this.#api.end();
    }
  }

  async #readStream(onFirstLive: () => void): Promise<void> {
    let isLive = false;
    const onLive = (): void => {
      isLive = true;
      this.#wasLive = true;
      onFirstLive();
    };
    try {
      for await (const event of this.#api.subscribe(this.#order.clientId, this.#over.signal, onLive)) {
        // What comes while leaving stays unacknowledged, so that the server gives it to others.
        if (this.#finishing === undefined) this.#take(event);
        if (this.#unacknowledged.size >= MAX_UNACKNOWLEDGED) await Promise.race(this.#unacknowledged);
      }
      this.#note("the server ended the stream: it stops, or this client id has subscribed elsewhere");
    } catch (error) {
      const failure = CallFailed.of(error);
      this.#lastFailure = failure;
      // A token that was taken away under the stream may have a successor in its file.
      const isRenewable = isLive && failure.status === "UNAUTHENTICATED";
      if (PERMANENT.has(failure.status) && !isRenewable)
        this.#fail(serverFailure(failure, "cannot subscribe at", this.#order.server));
      else if (isLive) this.#note(`the stream broke: ${failure.message} (${failure.status})`);
    }
  }

  #take(event: ReceivedEvent): void {
    if (!this.#tokens.add(event.futureUserToken)) this.#duplicates += 1;
    this.#received += 1;
    const handling = this.#handle(event).finally(() => this.#unacknowledged.delete(handling));
    this.#unacknowledged.add(handling);
    if (this.#received - this.#duplicates >= this.#order.count) void this.#finish();
  }

  /** Printed first: an event that nobody could read is not acknowledged. */
  async #handle(event: ReceivedEvent): Promise<void> {
    const isPrinted = await new Promise<boolean>((resolve) => {
      process.stdout.write(`${eventLine(event)}\n`, (error) => resolve(error === null || error === undefined));
    });
    if (!isPrinted) return void this.#finish();
    try {
      await this.#api.ack(event.userToken, this.#order.success, { timeoutMs: ACK_TIMEOUT_MS });
      this.#acknowledged += 1;
    } catch {
      // The server hands it out again; until then it shows in the counts.
    }
  }

  /** Waits for the acks, tells the server goodbye, and ends the stream. Never rejects. */
  #finish(): Promise<void> {
    this.#finishing ??= this.#leave();
    return this.#finishing;
  }

  async #leave(): Promise<void> {
    const acknowledged = Promise.all(this.#unacknowledged);
    await Promise.race([acknowledged, sleep(ACK_TIMEOUT_MS, this.#over.signal)]);
    if (this.#wasLive) {
      await this.#api.closeClient(this.#order.clientId, { timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => undefined);
    }
    this.#over.abort();
  }

  #giveUp(): void {
    const failure = this.#lastFailure ?? new CallFailed("DEADLINE_EXCEEDED", "no answer");
    this.#fail(serverFailure(failure, "cannot subscribe at", this.#order.server));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    void this.#finish();
  }

  #note(text: string): void {
    if (this.#finishing === undefined) process.stderr.write(`fairlead: ${oneLine(text)}; subscribing again\n`);
  }
}
