import { createQueueApiClient } from "../../adapters/grpc/index.js";
import { deferred } from "../../src/util/deferred.js";

/** Subscribes without `fairlead subscribe`, and acknowledges late, or never. */
export class SlowSubscriber {
  readonly tokens: string[] = [];
  readonly failedAcks: string[] = [];
  acknowledged = 0;
  readonly #client: ReturnType<typeof createQueueApiClient>;
  readonly #ended = deferred<void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #onChange: () => void = () => {};

  constructor(address: string, ackAfterMs: number | undefined) {
    this.#client = createQueueApiClient(address);
    const stream = this.#client.SubscribeEvents({ clientId: `slow-${Math.random()}` });
    stream.on("data", (event: { readonly userToken: string; readonly futureUserToken: string }) => {
      this.tokens.push(event.futureUserToken);
      if (ackAfterMs !== undefined) this.#acknowledgeLater(event.userToken, ackAfterMs);
      this.#onChange();
    });
    stream.on("error", () => this.#ended.resolve());
    stream.on("end", () => this.#ended.resolve());
  }

  get count(): number {
    return this.tokens.length;
  }

  async received(count: number, timeoutMs = 15_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.count < count) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`received ${this.count} of ${count} within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#onChange = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Resolves once the stream has ended. */
  ended(): Promise<void> {
    return this.#ended.promise;
  }

  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#client.close();
  }

  #acknowledgeLater(userToken: string, afterMs: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#client.Ack({ userToken, success: true }, (error) => {
        if (error === null) this.acknowledged += 1;
        else this.failedAcks.push(error.message);
      });
    }, afterMs);
    this.#timers.add(timer);
  }
}
