import type { CloseOptions, Gateway } from "../../../src/index.js";
import { deferred } from "../../../src/util/deferred.js";

interface Behaviour {
  readonly startError?: Error;
  readonly startsWhen?: Promise<void>;
  readonly closesWhen?: () => Promise<void>;
  readonly closeMs?: number;
}

/** A gateway that listens nowhere and writes down what is done to it. */
export class RecordingGateway implements Gateway {
  readonly closed: Promise<Error | undefined>;
  readonly #closed = deferred<Error | undefined>();
  readonly #name: string;
  readonly #log: string[];
  readonly #behaviour: Behaviour;

  constructor(name: string, log: string[], behaviour: Behaviour = {}) {
    this.closed = this.#closed.promise;
    this.#name = name;
    this.#log = log;
    this.#behaviour = behaviour;
  }

  async start(): Promise<string> {
    const { startError, startsWhen } = this.#behaviour;
    this.#log.push(`${this.#name} starts`);
    await startsWhen;
    if (startError !== undefined) throw startError;
    return `${this.#name}:1`;
  }

  async close({ drainMs }: CloseOptions = {}): Promise<void> {
    const { closesWhen, closeMs = 0 } = this.#behaviour;
    this.#log.push(`${this.#name} closes ${String(drainMs)}`);
    await closesWhen?.();
    await new Promise((resolve) => setTimeout(resolve, closeMs));
    this.#log.push(`${this.#name} closed`);
    this.#closed.resolve(undefined);
  }

  /** Ends by itself. */
  end(cause: Error): void {
    this.#closed.resolve(cause);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
