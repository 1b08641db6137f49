import { randomUUID } from "node:crypto";
import { MessagingError } from "../../src/errors/messaging-error.js";

export interface CallLimits {
  readonly maxRequestBytes: number;
  readonly maxUploadBytes: number;
  readonly maxUploadBytesPerClient: number;
  readonly maxCallsPerClient: number;
}

/** A call whose stream is open. */
export interface OpenCall {
  /** Ends it, whatever it does. */
  stop(error: MessagingError): void;
}

/** What one client holds. */
interface Holding {
  calls: number;
  uploadBytes: number;
}

/** Every call that holds something of the server, within its limits. */
export class OpenCalls {
  readonly limits: CallLimits;
  readonly #calls = new Set<OpenCall>();
  readonly #perClient = new Map<string, Holding>();
  readonly #callIds = new Set<string>();
  #uploadBytes = 0;
  #isDraining = false;
  #onIdle: () => void = () => {};

  constructor(limits: CallLimits) {
    this.limits = limits;
  }

  /** Throws for one too many. To be removed when its stream is closed. */
  add(call: OpenCall, client: string): void {
    if (this.#isDraining) throw new MessagingError("UNAVAILABLE", "this server is shutting down; call another");
    const holding = this.#holding(client);
    const { maxCallsPerClient } = this.limits;
    if (holding.calls >= maxCallsPerClient) {
      throw new MessagingError(
        "REJECTED",
        `this client has ${holding.calls} calls open; at most ${maxCallsPerClient} are allowed`,
      );
    }
    holding.calls += 1;
    this.#perClient.set(client, holding);
    this.#calls.add(call);
  }

  remove(call: OpenCall, client: string): void {
    if (!this.#calls.delete(call)) return;
    const holding = this.#holding(client);
    holding.calls -= 1;
    this.#forgetIfIdle(client, holding);
    if (this.#calls.size === 0) this.#onIdle();
  }

  /** The name of a call for its sink: what the client says, or a fresh one where that is nothing or in use. */
  takeCallId(wanted: string): string {
    const callId = wanted === "" || this.#callIds.has(wanted) ? randomUUID() : wanted;
    this.#callIds.add(callId);
    return callId;
  }

  releaseCallId(callId: string): void {
    this.#callIds.delete(callId);
  }

  /** Room for a request that comes in parts. Throws `REJECTED` when there is none; to be released. */
  takeUpload(bytes: number, client: string): void {
    const holding = this.#holding(client);
    if (holding.uploadBytes + bytes > this.limits.maxUploadBytesPerClient) {
      const most = `at most ${this.limits.maxUploadBytesPerClient} are allowed`;
      throw new MessagingError(
        "REJECTED",
        `requests of this client that are on their way hold ${holding.uploadBytes} bytes; ${most}`,
      );
    }
    if (this.#uploadBytes + bytes > this.limits.maxUploadBytes) {
      throw new MessagingError(
        "REJECTED",
        `requests that are on their way hold ${this.#uploadBytes} bytes; try again later`,
      );
    }
    this.#uploadBytes += bytes;
    holding.uploadBytes += bytes;
    this.#perClient.set(client, holding);
  }

  releaseUpload(bytes: number, client: string): void {
    const holding = this.#holding(client);
    this.#uploadBytes -= bytes;
    holding.uploadBytes -= bytes;
    this.#forgetIfIdle(client, holding);
  }

  /** Refuses more from now on. Resolves when none is open. */
  drained(): Promise<void> {
    this.#isDraining = true;
    if (this.#calls.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  stopAll(error: MessagingError): void {
    for (const call of [...this.#calls]) call.stop(error);
  }

  #holding(client: string): Holding {
    return this.#perClient.get(client) ?? { calls: 0, uploadBytes: 0 };
  }

  #forgetIfIdle(client: string, { calls, uploadBytes }: Holding): void {
    if (calls === 0 && uploadBytes === 0) this.#perClient.delete(client);
  }
}
