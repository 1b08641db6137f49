import type { ConnectOptions, Driver, DriverConnection } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { onAbort } from "../../src/util/abort.js";
import { RabbitmqConnection } from "./connection.js";
import { toMessagingError, withContext } from "./errors.js";
import { FRAME_BUFFER } from "./frame-publisher.js";
import { DelayLadder } from "./ladder.js";
import { type Link, openLink } from "./link.js";
import { type RabbitmqOptions, type ResolvedRabbitmqOptions, resolveRabbitmqOptions } from "./options.js";
import { serverRules } from "./server-rules.js";
import { type ServerUrl, serverAddress } from "./server-url.js";

/** The driver for RabbitMQ. Throws `INVALID_ARGUMENT` for faulty options. Connects to nothing yet. */
export function rabbitmqDriver(options: RabbitmqOptions): Driver {
  return new RabbitmqDriver(resolveRabbitmqOptions(options), new DelayLadder());
}

export class RabbitmqDriver implements Driver {
  readonly name = "rabbitmq";
  readonly capabilities: Capabilities;
  readonly #options: ResolvedRabbitmqOptions;
  readonly #ladder: DelayLadder;
  #attempts = 0;

  constructor(options: ResolvedRabbitmqOptions, ladder: DelayLadder) {
    this.#options = options;
    this.#ladder = ladder;
    this.capabilities = Object.freeze({
      queue: Object.freeze({
        persistent: true,
        deadLetter: true,
        delayedDelivery: true,
        expiry: true,
        priority: false,
        ordering: "until-requeue",
      }),
      broadcast: Object.freeze({ loopback: true }),
      maxMessageBytes: options.maxMessageBytes,
    });
  }

  toMessagingError(error: unknown): MessagingError {
    return toMessagingError(error);
  }

  /** To the next of the servers. */
  async connect({ signal, onLost, onBlocked, onReturned }: ConnectOptions): Promise<DriverConnection> {
    const { servers, connectTimeoutMs, queueType } = this.#options;
    const server = servers[this.#attempts % servers.length];
    if (server === undefined) throw new MessagingError("INTERNAL", "no server to connect to");
    this.#attempts += 1;

    // Ends every socket of this attempt, at whatever step it is.
    const attempt = new AbortController();
    const stopListening = onAbort(signal, () => attempt.abort(aborted(signal)));
    const timer = setTimeout(() => attempt.abort(unanswered(server, connectTimeoutMs)), connectTimeoutMs);
    // The first reason counts; either way both links end.
    const fail = (error: unknown): never => {
      attempt.abort(withContext(`cannot connect to RabbitMQ at ${serverAddress(server)}`, error));
      throw attempt.signal.reason;
    };
    const open = (purpose: string): Promise<Link> =>
      openLink(server, this.#options, purpose, attempt.signal).catch(fail);
    try {
      const [publishing, consuming] = await Promise.all([open("publishing"), open("consuming")]);
      const rules = serverRules(publishing.serverProperties, queueType);
      const frameChannel = await publishing.createChannel(FRAME_BUFFER);
      if (publishing.over || consuming.over) throw new Error("Connection closed during set-up");
      const parts = { publishing, consuming, frameChannel, options: this.#options, rules, ladder: this.#ladder };
      return new RabbitmqConnection(parts, { onLost, onBlocked, onReturned });
    } catch (error) {
      return fail(error);
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }
}

function aborted(signal: AbortSignal): MessagingError {
  return new MessagingError("ABORTED", "connecting was aborted", { cause: signal.reason });
}

function unanswered(server: ServerUrl, timeoutMs: number): MessagingError {
  return new MessagingError(
    "UNAVAILABLE",
    `RabbitMQ at ${serverAddress(server)} did not answer within ${timeoutMs} ms`,
  );
}
