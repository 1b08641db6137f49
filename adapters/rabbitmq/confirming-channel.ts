import { MessagingError } from "../../src/errors/messaging-error.js";
import { type AmqpConfirmChannel, type AmqpPublishOptions, NACKED, REPLY } from "./amqp.js";
import { toMessagingError } from "./errors.js";
import { PUBLISH_ID_HEADER } from "./headers.js";

/** A publish on its way, and where its end is told. */
export interface PendingPublish {
  readonly exchange: string;
  readonly routingKey: string;
  readonly content: Buffer;
  /** Its headers are added to. */
  readonly options: AmqpPublishOptions;
  confirmed(): void;
  failed(error: unknown): void;
  /** There was no such queue or exchange: the message was not stored. */
  returned(): void;
}

/** After so many sends a channel is replaced, as soon as nothing is under way on it. */
const SENDS_PER_CHANNEL = 100_000;

/** One channel with confirms. Whatever is sent on it is told its end, at the latest when the channel is lost. */
export class ConfirmingChannel {
  readonly #channel: AmqpConfirmChannel;
  readonly #onUnusable: () => void;
  readonly #returned = new Set<unknown>();
  #publishId = 0;
  #unconfirmed = 0;
  #retired = false;
  #error: Error | undefined;

  /** `onUnusable`: at most once, when nothing more may be sent here. */
  constructor(channel: AmqpConfirmChannel, onUnusable: () => void) {
    this.#channel = channel;
    this.#onUnusable = onUnusable;
    channel.on("error", (error) => {
      this.#error = error;
    });
    channel.on("close", () => this.#retire());
    // A return always comes before its confirm.
    channel.on("return", ({ properties }) => this.#returned.add(properties.headers?.[PUBLISH_ID_HEADER]));
  }

  send(publish: PendingPublish): void {
    this.#publishId += 1;
    const id = this.#publishId;
    publish.options.headers[PUBLISH_ID_HEADER] = id;
    try {
      this.#channel.publish(publish.exchange, publish.routingKey, publish.content, publish.options, (error) =>
        this.#confirm(id, error, publish),
      );
      this.#unconfirmed += 1;
    } catch (error) {
      publish.failed(error);
    }
  }

  #confirm(id: number, error: Error | null, publish: PendingPublish): void {
    this.#unconfirmed -= 1;
    const returned = this.#returned.size > 0 && this.#returned.delete(id);
    if (error === null) {
      if (returned) publish.returned();
      else publish.confirmed();
      if (this.#retired) this.#closeWhenConfirmed();
    } else if (error.message === NACKED) {
      publish.failed(error);
      // A channel that published to a queue before the queue's leader was elected is refused for good.
      this.#retire();
    } else if (isExchangeMissing(this.#error ?? error, publish)) {
      publish.returned();
    } else {
      publish.failed(lostPublish(this.#error ?? error, publish));
    }
    // amqplib keeps a slot for each publish that it believes unconfirmed; after acks out of order it may never let go.
    if (this.#unconfirmed === 0 && this.#publishId >= SENDS_PER_CHANNEL) this.#retire();
  }

  #retire(): void {
    if (!this.#retired) {
      this.#retired = true;
      this.#onUnusable();
    }
    this.#closeWhenConfirmed();
  }

  #closeWhenConfirmed(): void {
    if (this.#unconfirmed === 0) this.#channel.close().catch(() => {});
  }
}

/** An exchange of the ladder was deleted: the broker closed the channel, and stored none of what was sent to it. */
function isExchangeMissing(error: Error, { exchange }: PendingPublish): boolean {
  return (
    exchange !== "" &&
    "code" in error &&
    error.code === REPLY.notFound &&
    error.message.includes(`exchange '${exchange}'`)
  );
}

/**
 * The broker closes the channel over one message and takes all others down with it. That one is told why; the others
 * may be sent again.
 */
function lostPublish(error: Error, { exchange, content }: PendingPublish): MessagingError {
  const told = toMessagingError(error);
  const code = "code" in error ? error.code : undefined;
  if (code === REPLY.notFound || code === REPLY.accessRefused) {
    if (error.message.includes(`exchange '${exchange === "" ? "amq.default" : exchange}'`)) return told;
  } else if (told.code === "TOO_LARGE") {
    const most = /max size (\d+)/.exec(error.message)?.[1];
    if (most !== undefined && content.length > Number(most)) return told;
  }
  return new MessagingError("UNAVAILABLE", `the link was lost before the broker confirmed: ${told.message}`, {
    cause: error,
  });
}
