import { MessagingError } from "../errors/messaging-error.js";
import type { Capabilities } from "../ports/capabilities.js";

export interface EventOptions {
  /** The queue that holds the events. Default `"events"`. */
  readonly queue?: string | undefined;
  /**
   * An event that is not acknowledged within this time has failed, in milliseconds. At most 45 % of the capability `holdMs`, where
   * there is one: what waited for a subscriber before may have used up as much again. Default 5,000, or that if it is less.
   */
  readonly ackTimeoutMs?: number | undefined;
  /**
   * After the first failure an event waits for the first of these, and so on, in milliseconds; when they are used up it
   * is dead-lettered. At most 50. Default 1 and 5 and 15 minutes, 1 and 6 and 24 and 48 hours.
   */
  readonly retryScheduleMs?: readonly number[] | undefined;
  /** Of one event's body. Default 1 MiB, or what the adapter takes if that is less. */
  readonly maxEventBytes?: number | undefined;
  /** Events that one subscriber holds unacknowledged at once, to begin with. Default 3. */
  readonly creditPerSubscriber?: number | undefined;
  /**
   * Up to where that grows, by 1 with each ack that comes within a quarter of the ack timeout; each time-out halves it.
   * Default 100, or `creditPerSubscriber` if that is more.
   */
  readonly maxCreditPerSubscriber?: number | undefined;
  /**
   * Lost with so many subscribers in a row, an event takes a step of the retry schedule, and waits by chance for up to as
   * long again, 1 s to 60 s: what was lost together comes apart. Default 3.
   */
  readonly lossesPerStep?: number | undefined;
  /**
   * A client's subscribe within this time after its last one waits until it is over, in milliseconds, so that clients
   * that fight for a name do not keep the server busy. 0: none waits. Default 1,000.
   */
  readonly subscribeIntervalMs?: number | undefined;
  /**
   * How often an ack is sent again to the server that delivered the event, and a close to all, until it is answered, in
   * milliseconds. Default 250.
   */
  readonly ackForwardIntervalMs?: number | undefined;
  /** The longest that an ack waits for the answer of the server that delivered the event, in milliseconds. Default 2,000. */
  readonly ackForwardTimeoutMs?: number | undefined;
  /** The longest that a close waits for the server that holds the client, in milliseconds. Default 1,000. */
  readonly closeForwardTimeoutMs?: number | undefined;
  /** How long a post id is known, in milliseconds. Default 600,000 (10 min). */
  readonly postIdMemoryMs?: number | undefined;
  /** How long it is known that an event is done whose server was gone at its ack, in milliseconds. Default 600,000 (10 min). */
  readonly doneMemoryMs?: number | undefined;
  /** The longest that a post may wait for the broker, in milliseconds. Default 30,000. */
  readonly postTimeoutMs?: number | undefined;
  /** The longest that an ack waits to learn that it reached the broker, in milliseconds. Default 5,000. */
  readonly settleTimeoutMs?: number | undefined;
  /** The longest wait for a subscriber's stream to end, in milliseconds. Default 1,000. */
  readonly endTimeoutMs?: number | undefined;
  /** False: nothing is taken from the queue, and subscribers wait; posts go on. Default true. */
  readonly deliver?: boolean | undefined;
}

export type ResolvedEventOptions = { readonly [K in keyof EventOptions]-?: NonNullable<EventOptions[K]> };

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_SCHEDULE_MS: readonly number[] = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
  48 * HOUR_MS,
];
const DEFAULT_EVENT_BYTES = 1_048_576;
const MAX_STEPS = 50;
const DEFAULT_MAX_CREDIT = 100;
/** Also the most that a subscriber with a credit of its own choice holds at once. */
export const MAX_CREDIT = 1_000;
/** A year. */
const MAX_STEP_MS = 365 * 24 * HOUR_MS;
/** Of what the broker lets one delivery be held: what has waited for half of it is given back, and the last twentieth is core's. */
const HOLD_PART = 0.45;
/** A day: an event is held by the server while its ack is awaited. */
const MAX_WAIT_MS = 24 * HOUR_MS;

const MAX_LOSSES = 1_000;
const WAITS = [
  "ackTimeoutMs",
  "ackForwardIntervalMs",
  "ackForwardTimeoutMs",
  "closeForwardTimeoutMs",
  "postIdMemoryMs",
  "doneMemoryMs",
  "postTimeoutMs",
  "settleTimeoutMs",
  "endTimeoutMs",
] as const;

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveEventOptions(raw: EventOptions, capabilities: Capabilities): ResolvedEventOptions {
  const { maxMessageBytes } = capabilities;
  const { holdMs = Number.POSITIVE_INFINITY } = capabilities.queue;
  const longestAckMs = Math.max(1, Math.min(MAX_WAIT_MS, Math.floor(holdMs * HOLD_PART)));
  const creditPerSubscriber = raw.creditPerSubscriber ?? 3;
  const options: ResolvedEventOptions = {
    queue: raw.queue ?? "events",
    ackTimeoutMs: raw.ackTimeoutMs ?? Math.min(5_000, longestAckMs),
    retryScheduleMs: Array.isArray(raw.retryScheduleMs)
      ? Object.freeze([...raw.retryScheduleMs])
      : (raw.retryScheduleMs ?? DEFAULT_SCHEDULE_MS),
    maxEventBytes: raw.maxEventBytes ?? Math.min(DEFAULT_EVENT_BYTES, maxMessageBytes),
    creditPerSubscriber,
    maxCreditPerSubscriber: raw.maxCreditPerSubscriber ?? Math.max(DEFAULT_MAX_CREDIT, creditPerSubscriber),
    lossesPerStep: raw.lossesPerStep ?? 3,
    subscribeIntervalMs: raw.subscribeIntervalMs ?? 1_000,
    ackForwardIntervalMs: raw.ackForwardIntervalMs ?? 250,
    ackForwardTimeoutMs: raw.ackForwardTimeoutMs ?? 2_000,
    closeForwardTimeoutMs: raw.closeForwardTimeoutMs ?? 1_000,
    postIdMemoryMs: raw.postIdMemoryMs ?? 600_000,
    doneMemoryMs: raw.doneMemoryMs ?? 600_000,
    postTimeoutMs: raw.postTimeoutMs ?? 30_000,
    settleTimeoutMs: raw.settleTimeoutMs ?? 5_000,
    endTimeoutMs: raw.endTimeoutMs ?? 1_000,
    deliver: raw.deliver ?? true,
  };
  const faults = Object.keys(raw)
    .filter((key) => !(key in options))
    .map((key) => `unknown option ${key}; known are ${Object.keys(options).join(", ")}`);
  const number = (name: keyof ResolvedEventOptions, least: number, most: number, unit: string): void => {
    const value = options[name];
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
    faults.push(`${name} must be a whole number of ${unit} from ${least} to ${most}`);
  };
  if (typeof options.queue !== "string" || options.queue === "") faults.push("queue must be a non-empty string");
  number("creditPerSubscriber", 1, MAX_CREDIT, "events");
  number("maxEventBytes", 1, maxMessageBytes, "bytes (the adapter's limit)");
  number("maxCreditPerSubscriber", 1, MAX_CREDIT, "events");
  number("lossesPerStep", 1, MAX_LOSSES, "losses");
  number("subscribeIntervalMs", 0, MAX_WAIT_MS, "milliseconds");
  for (const name of WAITS) number(name, 1, MAX_WAIT_MS, "milliseconds");
  if (options.ackTimeoutMs > longestAckMs && options.ackTimeoutMs <= MAX_WAIT_MS) {
    faults.push(
      `ackTimeoutMs must be at most ${longestAckMs}: the broker takes back what is held for ${holdMs} ms (capability holdMs; ` +
        "RabbitMQ's consumer_timeout, which can be raised), and half of that may go by before a subscriber has it",
    );
  }
  if (options.maxCreditPerSubscriber < options.creditPerSubscriber) {
    faults.push("maxCreditPerSubscriber must not be less than creditPerSubscriber");
  }
  if (typeof options.deliver !== "boolean") faults.push("deliver must be true or false");
  faults.push(...scheduleFaults(options.retryScheduleMs));
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `events: ${faults.join("; ")}`);
  return Object.freeze(options);
}

function scheduleFaults(schedule: unknown): string[] {
  if (!Array.isArray(schedule) || schedule.length > MAX_STEPS) {
    return [`retryScheduleMs must be a list of at most ${MAX_STEPS} numbers`];
  }
  const isStep = (step: unknown): boolean =>
    typeof step === "number" && Number.isFinite(step) && step >= 0 && step <= MAX_STEP_MS;
  return schedule.every(isStep)
    ? []
    : [`retryScheduleMs must hold milliseconds from 0 to ${MAX_STEP_MS} (a year) only`];
}
