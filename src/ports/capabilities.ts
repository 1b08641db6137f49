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
    /** `uniqueForMs` on publish: a messageId is stored once. */
    readonly deduplication: boolean;
    /**
     * What one consumer with concurrency 1 sees of one publisher's messages: `"until-requeue"`: in the order
     * published, until one is retried, released or lost; `"strict"`: then too.
     */
    readonly ordering: "none" | "until-requeue" | "strict";
    /**
     * The broker takes back what is held unsettled for longer than this many milliseconds, and everything else that the same
     * consumer holds. A consumer is told at four fifths of it (`delivery-held`). Before it is over, the delivery's signal aborts
     * with `TIMEOUT`, and the message is settled as a failed attempt, whatever its handler still does. One that has waited for a
     * handler for half of it is given back, so that a handler has nearly half of it at least; with no prefetch beyond the
     * concurrency it has nearly all. Undefined: a handler may take as long as it needs.
     */
    readonly holdMs?: number | undefined;
  };
  readonly broadcast: {
    /** A node receives its own broadcasts. */
    readonly loopback: boolean;
  };
  /**
   * What operators can see of a queue: `"none"`: nothing, and `messaging.inspection` is undefined; `"ready"`: the messages
   * that are due, by taking them and giving them back; `"all"`: also what waits, is handed out or is over.
   */
  readonly inspection: "none" | "ready" | "all";
  /** The broker's hard limit for one body. */
  readonly maxMessageBytes: number;
}
