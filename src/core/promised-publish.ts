import type { Address, WireMessage } from "../driver/driver.js";
import type { MessagingError } from "../errors/messaging-error.js";
import { PendingPublish, type PublishBounds } from "./pending-publish.js";

/** A publish that settles a promise. */
export class PromisedPublish extends PendingPublish {
  readonly onPublished: (sends: number) => void;
  readonly onFailed: (error: MessagingError) => void;

  constructor(
    to: Address,
    message: WireMessage,
    bounds: PublishBounds,
    startedAt: number,
    resolve: (sends: number) => void,
    reject: (error: MessagingError) => void,
  ) {
    super(to, message, bounds, startedAt);
    this.onPublished = resolve;
    this.onFailed = reject;
  }
}
