/** Since the start, but for the last three, which are of now. */
export interface EventCounts {
  /** Confirmed by the broker. */
  readonly posted: number;
  readonly postsFailed: number;
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
  /** Acks with a token that this server did not give, or has forgotten. */
  readonly unknownAcks: number;
  readonly subscribers: number;
  /** Events that subscribers hold now. */
  readonly outstanding: number;
  /** Events that are here and wait for a subscriber with room. */
  readonly waiting: number;
}

export type EventTally = {
  -readonly [K in Exclude<keyof EventCounts, "subscribers" | "outstanding" | "waiting">]: number;
};

export function newTally(): EventTally {
  return {
    posted: 0,
    postsFailed: 0,
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
  };
}
