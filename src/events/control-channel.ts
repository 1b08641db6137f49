import { jsonCodec } from "../core/codec.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Broadcast, NodeId, Subscription } from "../ports/broadcast.js";
import type { Clock, Random } from "../ports/clock.js";
import type { Messaging } from "../ports/messaging.js";
import type { Observer } from "../ports/observer.js";
import { backoffMs } from "../util/backoff.js";
import { Ending } from "../util/ending.js";
import { toError } from "../util/error-text.js";
import { type ControlMessage, formatControl, parseControl } from "./control-message.js";
import { pauseUntil } from "./pause-until.js";

export interface ControlChannelOptions {
  readonly messaging: Messaging;
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  /** Must not throw, nor take long. */
  onMessage(message: ControlMessage): void;
}

const LISTEN_AGAIN = { firstMs: 1_000, maxMs: 30_000 };

/** Between the servers that share a queue of events. Opens nothing until it is used. */
export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #broadcast: Broadcast<unknown>;
  readonly #live = new Ending<undefined>();
  readonly #closing = new Ending<undefined>();
  readonly #setUp = new AbortController();
  #subscription: Subscription | undefined;
  #running: Promise<void> | undefined;

  constructor(options: ControlChannelOptions) {
    this.#options = options;
    this.#broadcast = options.messaging.broadcast(options.name, { codec: jsonCodec() });
  }

  /**
   * From now on until `close`, whatever becomes of the broker. Calls `onLive` once, when it has been live, or closes; at once
   * if so already. The returned function takes `onLive` away.
   */
  listen(onLive: () => void = () => {}): () => void {
    if (!this.#closing.hasEnded) this.#running ??= this.#run();
    return this.#live.onEnd(onLive);
  }

  get isClosed(): boolean {
    return this.#closing.hasEnded;
  }

  /** To one node, or to all. False: it has not been sent. Never rejects. */
  async send(message: ControlMessage, node: NodeId | undefined, signal?: AbortSignal): Promise<boolean> {
    if (this.#closing.hasEnded) return false;
    try {
      await this.#broadcast.publish({ body: formatControl(message) }, { node, signal });
      return true;
    } catch {
      // Whoever needs an answer asks again.
      return false;
    }
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#closing.end(undefined);
    this.#setUp.abort(new MessagingError("CLOSED", "the event service is closing"));
    this.#live.end(undefined);
    await this.#subscription?.close({ drainMs: 0 });
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, clock, random, observe } = this.#options;
    for (let failures = 1; !this.#closing.hasEnded; failures += 1) {
      const { lived, error } = await this.#subscribe();
      // Without an error it was closed from below: there is nothing left to listen to.
      if (error === undefined || MessagingError.is(error, "CLOSED")) this.#closing.end(undefined);
      if (error === undefined || this.#closing.hasEnded) break;
      if (lived) failures = 1;
      observe({ type: "subscription", broadcast: name, state: "recovering", error });
      await pauseUntil(clock, backoffMs(failures, random.fraction(), LISTEN_AGAIN), this.#closing);
    }
    this.#live.end(undefined);
  }

  async #subscribe(): Promise<{ readonly lived: boolean; readonly error: Error | undefined }> {
    let lived = false;
    try {
      const receive = ({ body }: { readonly body: unknown }): void => this.#receive(body);
      const subscription = await this.#broadcast.subscribe(receive, { signal: this.#setUp.signal });
      lived = true;
      this.#subscription = subscription;
      this.#live.end(undefined);
      return { lived, error: await subscription.closed };
    } catch (thrown) {
      return { lived, error: toError(thrown) };
    } finally {
      this.#subscription = undefined;
    }
  }

  #receive(body: unknown): void {
    const { name, observe, onMessage } = this.#options;
    const message = parseControl(body);
    if (message !== undefined) onMessage(message);
    else observe({ type: "discarded", source: name, reason: "not a message between event services of this version" });
  }
}
