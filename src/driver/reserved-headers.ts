/**
 * The headers that Fairlead itself writes. Those with the prefix are for core and drivers alone: core refuses them from
 * applications and hides them from deliveries. The dead-letter ones are for whoever reads `<name>.dead`.
 */
export const RESERVED_PREFIX = "fairlead-";

/** Failed handlings so far. Absent = 0. */
export const FAILURES_HEADER = "fairlead-failures";

/** Deliveries so far that ended without a settlement (a crash, a lost link), of earlier incarnations of the message. */
export const LOSSES_HEADER = "fairlead-losses";

/** Given back by a handler at least once. */
export const RELEASED_HEADER = "fairlead-released";

/** Why it was given up. A broker that dead-letters by itself is translated by its driver: `expired`. */
export const DEAD_REASON_HEADER = "dead-letter-reason";
/** The queue that it came from. */
export const DEAD_QUEUE_HEADER = "dead-letter-queue";
/** When, as ISO 8601. */
export const DEAD_AT_HEADER = "dead-letter-at";
/** How many handlings had failed, the last one included. */
export const DEAD_ATTEMPTS_HEADER = "dead-letter-attempts";
