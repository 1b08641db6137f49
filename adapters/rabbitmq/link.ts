import { onAbort } from "../../src/util/abort.js";
import { type AmqpChannel, type AmqpConfirmChannel, type AmqpModel, type AmqpTable, connectAmqp } from "./amqp.js";
import type { ResolvedRabbitmqOptions } from "./options.js";
import { readDirectly } from "./read-directly.js";
import { restNumbers } from "./resting-numbers.js";
import type { ServerUrl } from "./server-url.js";
import { noteSetUpErrors, setUpErrorOf } from "./set-up-errors.js";
import { settledWithin } from "./settled-within.js";
import { writeDirectly } from "./write-directly.js";

/** One AMQP connection. It ends once, is told so once, and then leaves nothing open. */
export class Link {
  readonly serverProperties: AmqpTable;
  readonly #model: AmqpModel;
  #error: Error | undefined;
  #over = false;
  #onLost: ((error: Error) => void) | undefined;

  constructor(model: AmqpModel) {
    this.#model = model;
    this.serverProperties = model.connection.serverProperties;
    // First of all: an error without a listener ends the process.
    model.on("error", (error) => this.#end(error));
    model.on("close", (error) => this.#end(error ?? new Error("Connection closed")));
    const { expectSocketClose } = model.connection;
    const before = setUpErrorOf(model.connection);
    if (before !== undefined || expectSocketClose) this.#end(before ?? new Error("Connection closed during set-up"));
    writeDirectly(model.connection);
    readDirectly(model.connection);
    restNumbers(model.connection);
  }

  /** True once it was lost or closed. */
  get over(): boolean {
    return this.#over;
  }

  get blocked(): boolean {
    return this.#model.connection.blocked;
  }

  /** At most once, at once if it happened already; not for `close` or `destroy`. */
  onLost(listener: (error: Error) => void): void {
    if (this.#error !== undefined) listener(this.#error);
    else this.#onLost = listener;
  }

  onBlocked(listener: (blocked: boolean) => void): void {
    this.#model.on("blocked", () => listener(true));
    this.#model.on("unblocked", () => listener(false));
  }

  createChannel(): Promise<AmqpChannel> {
    return this.#model.createChannel();
  }

  createConfirmChannel(): Promise<AmqpConfirmChannel> {
    return this.#model.createConfirmChannel();
  }

  /** Resolves once the broker has taken the new password or token; rejects with the signal's reason, or when it is lost. */
  async updateSecret(secret: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const updated = this.#model.updateSecret(Buffer.from(secret), "the former secret expires soon");
    updated.catch(() => {});
    await new Promise<unknown>((resolve, reject) => {
      const forget = onAbort(signal, () => reject(signal.reason as Error));
      updated.then(resolve, reject).finally(forget);
    });
  }

  /** Ends it as if it had been lost. */
  lose(error: Error): void {
    this.#end(error);
  }

  /** Says goodbye to the broker, for at most this long. Never rejects. */
  async close(timeoutMs: number): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    // A link that dies meanwhile leaves this promise open for good.
    await settledWithin(timeoutMs, () => this.#model.close());
    this.destroy();
  }

  /** With an error, or amqplib would wait for an answer that cannot come, and whoever waits for amqplib with it. */
  destroy(): void {
    this.#over = true;
    this.#model.connection.stream.destroy(this.#error ?? new Error("Connection closed by this side"));
  }

  #end(error: Error): void {
    if (this.#over) return;
    this.#error = error;
    this.destroy();
    this.#onLost?.(error);
  }
}

/** Aborting the signal, also later, destroys the socket. */
export async function openLink(
  server: ServerUrl,
  options: ResolvedRabbitmqOptions,
  purpose: string,
  signal: AbortSignal,
): Promise<Link> {
  // A socket that is given an aborted signal is destroyed, and then revived by connecting: open for ever, unseen.
  signal.throwIfAborted();
  const { ca, cert, key, passphrase, serverName: servername } = options.tls;
  noteSetUpErrors();
  const model = await connectAmqp(
    { ...server, heartbeat: options.heartbeatSeconds },
    {
      signal,
      connectionName: `${options.connectionName} (${purpose})`,
      tls: server.protocol === "amqps" ? { ca, cert, key, passphrase, servername } : {},
    },
  );
  return new Link(model);
}
