import type { ConnectOptions, Driver, DriverConnection } from "../../src/driver/driver.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { onAbort } from "../../src/util/abort.js";
import { type Deferred, deferred } from "../../src/util/deferred.js";
import type { Broker } from "./broker.js";
import { aborted, refused, toMessagingError } from "./errors.js";
import { Hop, type Pace } from "./hop.js";
import { MemoryConnection, type NodeFeatures } from "./memory-connection.js";
import { type MemoryOptions, type ResolvedMemoryOptions, resolveMemoryOptions } from "./options.js";

interface Attempt {
  readonly options: ConnectOptions;
  readonly connection: Deferred<DriverConnection>;
}

/** One node on a broker in this process. */
class MemoryDriver implements Driver {
  readonly name = "memory";
  readonly capabilities: Capabilities;
  readonly toMessagingError = toMessagingError;
  readonly #broker: Broker;
  readonly #pace: Pace;
  readonly #features: NodeFeatures;
  readonly #attempts: Hop<Attempt>;

  constructor({ broker, capabilities, countDeliveries, latency }: ResolvedMemoryOptions) {
    const { queue, broadcast, maxMessageBytes } = capabilities;
    this.capabilities = capabilities;
    this.#broker = broker;
    this.#pace = { turns: broker.turns, clock: broker.clock, random: broker.random, latency };
    this.#features = { ...queue, ...broadcast, countDeliveries, maxMessageBytes };
    this.#attempts = new Hop(this.#pace, (attempt) => this.#admit(attempt));
  }

  async connect(options: ConnectOptions): Promise<DriverConnection> {
    const { signal } = options;
    const connection = deferred<DriverConnection>();
    const forget = onAbort(signal, () => connection.reject(aborted(signal.reason)));
    this.#attempts.push({ options, connection });
    try {
      return await connection.promise;
    } finally {
      forget();
    }
  }

  #admit({ options, connection }: Attempt): void {
    if (connection.settled) return;
    if (this.#broker.refusing) connection.reject(refused());
    else connection.resolve(new MemoryConnection(this.#broker, this.#pace, this.#features, options));
  }
}

/** Throws `INVALID_ARGUMENT`, with all faults, for options that it cannot use. */
export function memoryDriver(options?: MemoryOptions): Driver {
  return new MemoryDriver(resolveMemoryOptions(options));
}
