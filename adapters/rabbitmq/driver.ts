import type { ConnectOptions, Driver, DriverConnection } from "../../src/driver/driver.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Capabilities } from "../../src/ports/capabilities.js";
import { onAbort } from "../../src/util/abort.js";
import { type LinkParts, RabbitmqConnection } from "./connection.js";
import type { WatchTimes } from "./consumer-watch.js";
import { type AskedCredentials, askForCredentials, termOf } from "./credentials.js";
import { toMessagingError, withContext } from "./errors.js";
import { DelayLadder } from "./ladder.js";
import { type Link, openLink } from "./link.js";
import { type RabbitmqOptions, type ResolvedRabbitmqOptions, resolveRabbitmqOptions } from "./options.js";
import { ServerRotation } from "./server-rotation.js";
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
  readonly #rotation: ServerRotation;
  readonly #watchTimes: WatchTimes | undefined;

  constructor(options: ResolvedRabbitmqOptions, ladder: DelayLadder, watchTimes?: WatchTimes) {
    this.#options = options;
    this.#ladder = ladder;
    this.#watchTimes = watchTimes;
    this.#rotation = new ServerRotation(options.servers);
    const { consumerTimeoutMs, maxMessageBytes } = options;
    this.capabilities = Object.freeze({
      queue: Object.freeze({
        persistent: true,
        deadLetter: true,
        delayedDelivery: true,
        expiry: true,
        priority: false,
        deduplication: false,
        ordering: "until-requeue",
        ...(consumerTimeoutMs === Number.POSITIVE_INFINITY ? {} : { holdMs: consumerTimeoutMs }),
      }),
      broadcast: Object.freeze({ loopback: true }),
      inspection: "ready",
      maxMessageBytes,
    });
  }

  toMessagingError(error: unknown): MessagingError {
    return toMessagingError(error);
  }

  /** To the next of the servers, once it is known as whom. */
  async connect({ signal, ...told }: ConnectOptions): Promise<DriverConnection> {
    const { connectTimeoutMs, credentials: source } = this.#options;
    let [silent, what] = ["the credentials callback", "cannot connect to RabbitMQ"];

    // Ends every socket of this attempt, at whatever step it is.
    const attempt = new AbortController();
    const stopListening = onAbort(signal, () => attempt.abort(aborted(signal)));
    const timer = setTimeout(() => attempt.abort(unanswered(silent, connectTimeoutMs)), connectTimeoutMs);
    // The first reason counts; either way both links end.
    const end = (error: unknown): MessagingError => {
      attempt.abort(withContext(what, error));
      return toMessagingError(attempt.signal.reason);
    };
    try {
      const credentials = source === undefined ? undefined : await askForCredentials(source, attempt.signal);
      // Only now: what the callback does wrong is no fault of a host.
      const server = this.#rotation.next();
      const endpoint = serverAddress(server);
      [silent, what] = [`RabbitMQ at ${endpoint}`, `cannot connect to RabbitMQ at ${endpoint}`];
      const parts = await this.#open(server, credentials, attempt.signal, end).catch((error: unknown) => {
        throw this.#rotation.failed(server, end(error));
      });
      this.#rotation.connected();
      const term = credentials === undefined ? undefined : termOf(credentials);
      return new RabbitmqConnection({ ...parts, endpoint, credentials: term }, told);
    } catch (error) {
      // What was told already is not put into words again.
      throw attempt.signal.aborted ? error : end(error);
    } finally {
      clearTimeout(timer);
      stopListening();
    }
  }

  async #open(
    server: ServerUrl,
    credentials: AskedCredentials | undefined,
    signal: AbortSignal,
    end: (error: unknown) => MessagingError,
  ): Promise<LinkParts> {
    const options = this.#options;
    const { username, password } = credentials ?? server;
    const open = (purpose: string): Promise<Link> =>
      openLink({ ...server, username, password }, options, purpose, signal).catch((error: unknown) => {
        throw end(error);
      });
    const [publishing, consuming] = await Promise.all([open("publishing"), open("consuming")]);
    const rules = serverRules(publishing.serverProperties, options.queueType);
    const frameChannel = await publishing.createChannel();
    if (publishing.over || consuming.over) throw new Error("Connection closed during set-up");
    return {
      publishing,
      consuming,
      frameChannel,
      options,
      rules,
      ladder: this.#ladder,
      watchTimes: this.#watchTimes,
    };
  }
}

function aborted(signal: AbortSignal): MessagingError {
  return new MessagingError("ABORTED", "connecting was aborted", { cause: signal.reason });
}

function unanswered(what: string, timeoutMs: number): MessagingError {
  return new MessagingError("UNAVAILABLE", `${what} did not answer within ${timeoutMs} ms`);
}
