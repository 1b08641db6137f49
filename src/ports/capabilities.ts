/**
 * What a broker can do, as constant data. What is `false` is refused with `UNSUPPORTED`, naming the alternative:
 * nothing is emulated in silence, nothing quietly does less.
 */
export interface Capabilities {
  readonly queue: {
    /** A confirmed message survives a restart of the broker. */
    readonly persistent: boolean;
    /** Given-up and expired messages are kept in `<name>.dead`, with the reason. */
    readonly deadLetter: boolean;
    /** `delayMs` on publish; a retry of a second or more waits in the broker instead of in the consumer's prefetch. */
    readonly delayedDelivery: boolean;
    /** `expiresInMs` on publish. */
    readonly expiry: boolean;
    /** `priority` on publish: what is more urgent overtakes what waits. */
    readonly priority: boolean;
    /**
     * What one consumer with concurrency 1 sees of one publisher's messages: `"until-requeue"`: in the order
     * published, until one is retried, released or lost; `"strict"`: then too.
     */
    readonly ordering: "none" | "until-requeue" | "strict";
  };
  readonly broadcast: {
    /** A node receives its own broadcasts. */
    readonly loopback: boolean;
  };
  /** The broker's hard limit for one body. */
  readonly maxMessageBytes: number;
}
