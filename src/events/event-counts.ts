/** Since the start, but for the last four, which are of now. */
export interface EventCounts {
  /** Confirmed by the broker. */
  readonly posted: number;
  readonly postsFailed: number;
  /** Posts under a post id that was known already; they are in none of the other counts. */
  readonly duplicatePosts: number;
  /** Attempts handed to a subscriber. */
  readonly delivered: number;
  readonly acked: number;
  readonly nacked: number;
  readonly timedOut: number;
  /** Attempts that ended because the subscriber went away. */
  readonly lost: number;
  /** Attempts that the subscriber's own sink refused with an error. */
  readonly refused: number;
  /** Handed back to the queue because nobody here could take them. */
  readonly released: number;
  /** Attempts that ended because the broker's link did; the broker hands the event out again. */
  readonly withdrawn: number;
  readonly deadLettered: number;
  /** Acks whose settlement did not reach the broker, or not in time: the event may come again. */
  readonly unconfirmedAcks: number;
  /** Acks after the attempt was over. */
  readonly lateAcks: number;
  readonly repeatedAcks: number;
  /** Acks with a token that no server gave, or that this one has forgotten. */
  readonly unknownAcks: number;
  /** Acks that the server that delivered the event answered; there they are in the counts above. */
  readonly forwardedAcks: number;
  /** Acks of events whose server is gone, that were settled in the store. */
  readonly recoveredAcks: number;
  /** Acks that no server answered: it is gone, or did not answer in time. */
  readonly unresolvedAcks: number;
  /** Events that were not sent (again) because an ack at another server, or before a restart, says that they are done. */
  readonly settledUnsent: number;
  /** Events that a subscriber held when such an ack came. */
  readonly settledHeld: number;
  /** Subscribers that take events, or would. */
  readonly subscribers: number;
  /** Subscribes that wait, because their client's last one is too recent. */
  readonly waitingSubscribes: number;
  /** Events that subscribers hold now. */
  readonly outstanding: number;
  /** Events that are here and wait for a subscriber with room. */
  readonly waiting: number;
}

type Momentary = "subscribers" | "waitingSubscribes" | "outstanding" | "waiting";

export type EventTally = {
  -readonly [K in Exclude<keyof EventCounts, Momentary>]: number;
};

export function newTally(): EventTally {
  return {
    posted: 0,
    postsFailed: 0,
    duplicatePosts: 0,
    delivered: 0,
    acked: 0,
    nacked: 0,
    timedOut: 0,
    lost: 0,
    refused: 0,
    released: 0,
    withdrawn: 0,
    deadLettered: 0,
    unconfirmedAcks: 0,
    lateAcks: 0,
    repeatedAcks: 0,
    unknownAcks: 0,
    forwardedAcks: 0,
    recoveredAcks: 0,
    unresolvedAcks: 0,
    settledUnsent: 0,
    settledHeld: 0,
  };
}
