/** A point in time as protobuf's Timestamp has it: from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z. */
export interface EventDate {
  /** Whole seconds since the epoch; negative before 1970. */
  readonly seconds: number;
  /** Counted forward from `seconds`, 0 to 999,999,999, also before 1970. */
  readonly nanos: number;
}

/** What is posted. */
export interface OutgoingEvent {
  /** Opaque, handed to the subscriber byte for byte. */
  readonly body: Uint8Array;
  /** Who posts; at most 256 bytes of UTF-8. Not a destination. Default empty. */
  readonly clientId?: string | undefined;
  /** A signed 64-bit number. Default 0. */
  readonly searchKey1?: bigint | undefined;
  /** A signed 64-bit number. Default 0. */
  readonly searchKey2?: bigint | undefined;
  /** Any text of at most 256 bytes of UTF-8; each delivery carries it, so that subscribers can tell duplicates. */
  readonly userToken?: string | undefined;
  /** Not delivered before. Default, and for any date in the past: now. */
  readonly effectiveDate?: EventDate | undefined;
}

/** What a queue holds of an event. */
export interface StoredEvent {
  readonly body: Uint8Array;
  readonly clientId: string;
  readonly searchKey1: bigint;
  readonly searchKey2: bigint;
  readonly userToken: string;
  /** As posted; the time of the post where none was given; undefined for a message that was not posted as an event. */
  readonly effectiveDate: EventDate | undefined;
}

/** One attempt to hand one event to one subscriber. */
export interface DeliveredEvent extends StoredEvent {
  /** What `ack` wants: opaque, new for each attempt, worthless once the attempt is over. */
  readonly ackToken: string;
  /** 1 + the failed attempts so far. */
  readonly attempt: number;
}
