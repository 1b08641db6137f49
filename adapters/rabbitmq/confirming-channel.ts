import { MessagingError } from "../../src/errors/messaging-error.js";
import { Ring } from "../../src/util/ring.js";
import {
  type AmqpConfirm,
  type AmqpConfirmChannel,
  type AmqpPublishMethod,
  type AmqpPublishOptions,
  NACKED,
  REPLY,
} from "./amqp.js";
import { toMessagingError } from "./errors.js";
import { PUBLISH_ID_HEADER } from "./headers.js";

/** A publish on its way, and where its end is told. */
export interface PendingPublish extends AmqpPublishMethod {
  readonly content: Buffer;
  /** Its headers are added to. */
  readonly options: AmqpPublishOptions;
  /** It is handed to the link now. */
  sending(): void;
  confirmed(): void;
  failed(error: unknown): void;
  /** It was never handed to the link: for another channel, as if it had not been here. */
  unsent(): void;
  /** The same, of a channel that was lost, with all that was sent before. */
  leftBehind(error: unknown): void;
  /** The broker said no: the message was not stored. What is sent from here on goes through another channel. */
  refused(error: Error): void;
  /** There was no such queue or exchange: the message was not stored. */
  returned(): void;
}

/** One channel with confirms. Whatever is sent on it is told its end, at the latest when the channel is lost. */
export class ConfirmingChannel {
  readonly #channel: AmqpConfirmChannel;
  readonly #onUnusable: () => void;
  readonly #returned = new Set<unknown>();
  /** In the order of their delivery tags; undefined for one that was confirmed before an older one. */
  readonly #unconfirmed = new Ring<PendingPublish | undefined>();
  /** What waits for room, in the order of the calls: written all the same it would leave none for anybody else on the link. */
  readonly #held = new Ring<PendingPublish>();
  #hasRoom = true;
  /** Delivery tags: of the last that was sent, and of the first that is not confirmed. */
  #sent = 0;
  #oldest = 1;
  #retired = false;
  #error: Error | undefined;

  /** `onUnusable`: at most once, when nothing more may be sent here. */
  constructor(channel: AmqpConfirmChannel, onUnusable: () => void) {
    this.#channel = channel;
    this.#onUnusable = onUnusable;
    channel.on("error", (error) => {
      this.#error = error;
    });
    channel.on("close", () => this.#lose());
    channel.on("drain", () => this.#sendHeld());
    // A return always comes before its confirm.
    channel.on("return", ({ properties }) => this.#returned.add(properties.headers?.[PUBLISH_ID_HEADER]));
    // Its own table of callbacks stays empty: a closure and a slot for each message, which it may never let go.
    channel.removeAllListeners("ack");
    channel.removeAllListeners("nack");
    channel.on("ack", (confirm) => this.#confirm(confirm, false));
    channel.on("nack", (confirm) => this.#confirm(confirm, true));
  }

  send(publish: PendingPublish): void {
    if (this.#hasRoom && this.#held.size === 0) this.#sendNow(publish);
    else this.#held.push(publish);
  }

  #sendHeld(): void {
    this.#hasRoom = true;
    while (this.#hasRoom) {
      const publish = this.#held.shift();
      if (publish === undefined) return;
      this.#sendNow(publish);
    }
  }

  #sendNow(publish: PendingPublish): void {
    publish.sending();
    // What returns is known by it; delivery tags are not on returns.
    publish.options.headers[PUBLISH_ID_HEADER] = this.#sent + 1;
    try {
      this.#hasRoom = this.#channel.sendMessage(publish, publish.options, publish.content);
    } catch (error) {
      publish.failed(error);
      return;
    }
    this.#sent += 1;
    this.#unconfirmed.push(publish);
  }

  #confirm({ deliveryTag, multiple }: AmqpConfirm, isRefused: boolean): void {
    if (multiple) while (this.#oldest <= deliveryTag && this.#unconfirmed.size > 0) this.#confirmOldest(isRefused);
    else if (deliveryTag === this.#oldest) this.#confirmOldest(isRefused);
    else {
      const index = deliveryTag - this.#oldest;
      const publish = this.#unconfirmed.at(index);
      if (publish === undefined) return;
      this.#unconfirmed.replace(index, undefined);
      this.#tell(deliveryTag, publish, isRefused);
    }
    while (this.#unconfirmed.size > 0 && this.#unconfirmed.peek() === undefined) this.#shift();
    if (this.#retired) this.#closeWhenConfirmed();
  }

  #confirmOldest(isRefused: boolean): void {
    const tag = this.#oldest;
    const publish = this.#shift();
    if (publish !== undefined) this.#tell(tag, publish, isRefused);
  }

  #shift(): PendingPublish | undefined {
    this.#oldest += 1;
    return this.#unconfirmed.shift();
  }

  #tell(tag: number, publish: PendingPublish, isRefused: boolean): void {
    const isReturned = this.#returned.size > 0 && this.#returned.delete(tag);
    if (isRefused) {
      // A channel that published to a queue before the queue's leader was elected is refused for good.
      this.#retire();
      publish.refused(new Error(NACKED));
    } else if (isReturned) publish.returned();
    else publish.confirmed();
  }

  /** Nothing more is confirmed here. */
  #lose(): void {
    const held = [...this.#held];
    this.#held.clear();
    this.#retire();
    const error = this.#error ?? new Error("channel closed");
    for (let left = this.#unconfirmed.size; left > 0; left -= 1) {
      const publish = this.#shift();
      if (publish === undefined) continue;
      if (isExchangeMissing(error, publish)) publish.returned();
      else publish.failed(lostPublish(error, publish));
    }
    // These never left: whatever the broker closed the channel for, it was none of them.
    for (const publish of held) publish.leftBehind(linkLost(error));
  }

  #retire(): void {
    if (!this.#retired) {
      this.#retired = true;
      this.#onUnusable();
      for (let publish = this.#held.shift(); publish !== undefined; publish = this.#held.shift()) publish.unsent();
    }
    this.#closeWhenConfirmed();
  }

  #closeWhenConfirmed(): void {
    if (this.#unconfirmed.size === 0) this.#channel.close().catch(() => {});
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
  return linkLost(error);
}

function linkLost(error: Error): MessagingError {
  const { message } = toMessagingError(error);
  return new MessagingError("UNAVAILABLE", `the link was lost before the broker confirmed: ${message}`, {
    cause: error,
  });
}
