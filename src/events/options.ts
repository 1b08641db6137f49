import { MessagingError } from "../errors/messaging-error.js";
import type { Capabilities } from "../ports/capabilities.js";

export interface EventOptions {
  /** The queue that holds the events. Default `"events"`. */
  readonly queue?: string | undefined;
  /** An event that is not acknowledged within this time has failed, in milliseconds. Default 5,000. */
  readonly ackTimeoutMs?: number | undefined;
  /**
   * After the first failure an event waits for the first of these, and so on, in milliseconds; when they are used up it
   * is dead-lettered. At most 50. Default 1 and 5 and 15 minutes, 1 and 6 and 24 and 48 hours.
   */
  readonly retryScheduleMs?: readonly number[] | undefined;
  /** Of one event's body. Default 1 MiB, or what the adapter takes if that is less. */
  readonly maxEventBytes?: number | undefined;
  /** Events that one subscriber holds unacknowledged at once. Default 3. */
  readonly creditPerSubscriber?: number | undefined;
  /** The longest that a post may wait for the broker, in milliseconds. Default 30,000. */
  readonly postTimeoutMs?: number | undefined;
  /** The longest that an ack waits to learn that it reached the broker, in milliseconds. Default 5,000. */
  readonly settleTimeoutMs?: number | undefined;
  /** The longest wait for a subscriber's stream to end, in milliseconds. Default 1,000. */
  readonly endTimeoutMs?: number | undefined;
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
const MAX_CREDIT = 1_000;
/** A year. */
const MAX_STEP_MS = 365 * 24 * HOUR_MS;
/** A day: an event is held by the server while its ack is awaited. */
const MAX_WAIT_MS = 24 * HOUR_MS;

/** Fills in the defaults. Throws `INVALID_ARGUMENT` that names all faults, unknown keys among them. The result is frozen. */
export function resolveEventOptions(raw: EventOptions, capabilities: Capabilities): ResolvedEventOptions {
  const { maxMessageBytes } = capabilities;
  const options: ResolvedEventOptions = {
    queue: raw.queue ?? "events",
    ackTimeoutMs: raw.ackTimeoutMs ?? 5_000,
    retryScheduleMs: Array.isArray(raw.retryScheduleMs)
      ? Object.freeze([...raw.retryScheduleMs])
      : (raw.retryScheduleMs ?? DEFAULT_SCHEDULE_MS),
    maxEventBytes: raw.maxEventBytes ?? Math.min(DEFAULT_EVENT_BYTES, maxMessageBytes),
    creditPerSubscriber: raw.creditPerSubscriber ?? 3,
    postTimeoutMs: raw.postTimeoutMs ?? 30_000,
    settleTimeoutMs: raw.settleTimeoutMs ?? 5_000,
    endTimeoutMs: raw.endTimeoutMs ?? 1_000,
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
  number("ackTimeoutMs", 1, MAX_WAIT_MS, "milliseconds");
  number("creditPerSubscriber", 1, MAX_CREDIT, "events");
  number("maxEventBytes", 1, maxMessageBytes, "bytes (the adapter's limit)");
  number("postTimeoutMs", 1, MAX_WAIT_MS, "milliseconds");
  number("settleTimeoutMs", 1, MAX_WAIT_MS, "milliseconds");
  number("endTimeoutMs", 1, MAX_WAIT_MS, "milliseconds");
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
