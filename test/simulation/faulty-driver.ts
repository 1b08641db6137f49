import type { ConnectOptions, Driver, DriverConnection } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { onAbort } from "../../src/util/abort.js";
import { FaultyConnection } from "./faulty-connection.js";
import type { FaultyDriverOptions, FaultyEnd } from "./faulty-driver-options.js";
import { latencyOf } from "./weather.js";

/** A driver whose wire has latency and weather, and on which everything can be made to break. */
export class FaultyDriver implements Driver, FaultyEnd {
  readonly name = "faulty";
  readonly capabilities: Capabilities;
  readonly options: FaultyDriverOptions;
  readonly latencyMs: () => number;
  readonly #connections = new Set<FaultyConnection>();
  #isDead = false;
  #refusesUntil = 0;

  constructor(options: FaultyDriverOptions) {
    this.options = options;
    this.capabilities = options.inner.capabilities;
    this.latencyMs = latencyOf(options.weather, options.random);
  }

  /** Its process has ended: nothing of it runs any more. */
  get isDead(): boolean {
    return this.#isDead;
  }

  get connections(): readonly FaultyConnection[] {
    return [...this.#connections];
  }

  toMessagingError(error: unknown): MessagingError {
    return this.options.inner.toMessagingError(error);
  }

  connect(options: ConnectOptions): Promise<DriverConnection> {
    const { inner, world } = this.options;
    return new Promise((resolve, reject) => {
      const forget = onAbort(options.signal, () => reject(new MessagingError("ABORTED", "connecting was aborted")));
      const refuse = (error: unknown): void => {
        forget();
        reject(error);
      };
      world.after(this.latencyMs(), () => {
        if (this.#isDead || options.signal.aborted) return;
        if (world.now < this.#refusesUntil) return refuse(new MessagingError("UNAVAILABLE", "no route to the broker"));
        let connection: FaultyConnection | undefined;
        const innerOptions: ConnectOptions = {
          signal: options.signal,
          onLost: () => connection?.lose(0),
          onBlocked: (isBlocked) => connection?.tell(() => options.onBlocked(isBlocked)),
          onReturned: (frame) => connection?.onReturned(frame),
        };
        inner.connect(innerOptions).then((real) => {
          const made = new FaultyConnection(this, real, options, () => this.#connections.delete(made));
          connection = made;
          if (this.#isDead || options.signal.aborted) return void made.close();
          this.#connections.add(made);
          world.after(this.latencyMs(), () => {
            if (this.#isDead) return;
            forget();
            // Nobody waits for it any more.
            if (options.signal.aborted) void made.close();
            else resolve(made);
          });
        }, refuse);
      });
    });
  }

  /** No new connection gets through for so long. */
  refuse(ms: number): void {
    this.#refusesUntil = Math.max(this.#refusesUntil, this.options.world.now + ms);
  }

  /** The process ends as by SIGKILL: its connections go, and nothing is told to it any more. */
  kill(): void {
    this.#isDead = true;
    for (const connection of this.connections) connection.lose(0);
  }
}
