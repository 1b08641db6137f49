import { MessagingError } from "../../src/errors/messaging-error.js";
import type { ServerUrl } from "./server-url.js";

/**
 * Which host is tried next. What one of them refuses for good (a password, a virtual host) says nothing of the others: only
 * when each has refused so, at its last attempt, is it told as something that trying again does not heal.
 */
export class ServerRotation {
  readonly #servers: readonly ServerUrl[];
  #attempts = 0;
  /** Of those whose last attempt was refused for good. */
  readonly #refusals = new Map<ServerUrl, MessagingError>();

  constructor(servers: readonly ServerUrl[]) {
    this.#servers = servers;
  }

  next(): ServerUrl {
    const server = this.#servers[this.#attempts % this.#servers.length];
    this.#attempts += 1;
    if (server === undefined) throw new MessagingError("INTERNAL", "no server to connect to");
    return server;
  }

  connected(): void {
    this.#refusals.clear();
  }

  /** The error as core is to be told it. */
  failed(server: ServerUrl, error: MessagingError): MessagingError {
    if (error.code === "ABORTED" || error.retryable) {
      this.#refusals.delete(server);
      return error;
    }
    this.#refusals.set(server, error);
    if (this.#refusals.size < this.#servers.length) {
      return new MessagingError(error.code, error.message, { cause: error, retryable: true });
    }
    const all = [...this.#refusals.values()];
    this.#refusals.clear();
    if (all.length === 1) return error;
    const codes = new Set(all.map(({ code }) => code));
    const text = all.map(({ message }) => message).join("; ");
    return new MessagingError(codes.size === 1 ? error.code : "INVALID_ARGUMENT", text, { cause: error });
  }
}
