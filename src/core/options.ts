import type { QueueSpec } from "../driver/driver.js";
import { RESERVED_PREFIX } from "../driver/reserved-headers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Capabilities } from "../ports/capabilities.js";
import type { MessageHeaders, Priority } from "../ports/message.js";
import type { ConsumeOptions, PublishOptions } from "../ports/queue.js";

/** Brokers allow more; this leaves room for the prefixes and suffixes that adapters add. */
const MAX_NAME_BYTES = 150;

/** Control characters, and halves of surrogate pairs, which have no UTF-8. */
const FORBIDDEN = /[\p{Cc}\p{Cs}]/u;
const PRIORITIES: ReadonlySet<unknown> = new Set(["bulk", "standard", "expedite"]);
const PUBLISH_KEYS: ReadonlySet<string> = new Set<keyof PublishOptions>([
  "priority",
  "delayMs",
  "expiresInMs",
  "uniqueForMs",
  "persistent",
  "resend",
  "timeoutMs",
  "signal",
]);
const CONSUME_KEYS: ReadonlySet<string> = new Set<keyof ConsumeOptions>([
  "concurrency",
  "prefetch",
  "lane",
  "maxAttempts",
  "maxDeliveries",
  "signal",
]);

const UNBOUNDED = "consume with { maxAttempts: Infinity, maxDeliveries: Infinity }, so that nothing has to be dropped";

export interface ResolvedConsumeOptions {
  readonly concurrency: number;
  readonly prefetch: number;
  /** Undefined: all that the queue has. */
  readonly lane: Priority | undefined;
  readonly maxAttempts: number;
  readonly maxDeliveries: number;
  readonly signal: AbortSignal | undefined;
}

/** Throws `INVALID_ARGUMENT` for a name that some broker could not carry. */
export function checkName(kind: "queue" | "broadcast" | "node", name: unknown): void {
  if (typeof name !== "string" || name === "") throw invalid([`the name of a ${kind} must be a non-empty string`]);
  if (FORBIDDEN.test(name)) {
    throw invalid([`the name of ${kind} ${JSON.stringify(name)} holds a control character or half a surrogate pair`]);
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_NAME_BYTES) {
    throw invalid([`the name of a ${kind} takes ${bytes} bytes of UTF-8; at most ${MAX_NAME_BYTES} are allowed`]);
  }
}

/** Throws `INVALID_ARGUMENT` for a header that is not text or that only Fairlead may write. */
export function checkHeaders(headers: MessageHeaders): void {
  const faults: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name === "") faults.push("a header has an empty name");
    if (name.startsWith(RESERVED_PREFIX))
      faults.push(`header ${name}: the prefix ${RESERVED_PREFIX} is reserved; rename it`);
    if (Buffer.byteLength(name) > 255) faults.push(`header ${name.slice(0, 40)}…: a name takes at most 255 bytes`);
    if (typeof value !== "string") faults.push(`header ${name}: the value must be a string, not ${typeof value}`);
  }
  if (faults.length > 0) throw invalid(faults);
}

/** Throws `INVALID_ARGUMENT` for what makes no sense, `UNSUPPORTED` for what this queue of this adapter cannot do. */
export function checkPublishOptions(options: PublishOptions, capabilities: Capabilities, queue: QueueSpec): void {
  const faults = unknownKeys(options, PUBLISH_KEYS);
  const { priority, delayMs, expiresInMs, timeoutMs, persistent, uniqueForMs } = options;
  if (priority !== undefined && !PRIORITIES.has(priority)) faults.push("priority must be bulk, standard or expedite");
  if (delayMs !== undefined && !(Number.isFinite(delayMs) && delayMs >= 0)) faults.push("delayMs must be a number ≥ 0");
  if (expiresInMs !== undefined && !(Number.isFinite(expiresInMs) && expiresInMs > 0)) {
    faults.push("expiresInMs must be a number > 0");
  }
  if (uniqueForMs !== undefined && !(Number.isFinite(uniqueForMs) && uniqueForMs > 0)) {
    faults.push("uniqueForMs must be a number > 0");
  }
  if (timeoutMs !== undefined && !(timeoutMs > 0)) faults.push("timeoutMs must be > 0");
  if (faults.length > 0) throw invalid(faults);

  const can = capabilities.queue;
  if (queue.lanes) refuseOnLanes(queue.name, options);
  if (priority !== undefined && !queue.lanes && !can.priority) {
    throw unsupported("priority", "use a queue with lanes, or one queue for each priority, with a consumer for each");
  }
  if (delayMs !== undefined && delayMs > 0 && !can.delayedDelivery) {
    throw unsupported("delayedDelivery", "publish when it is due, or use an adapter that can delay");
  }
  if (expiresInMs !== undefined && !can.expiry) {
    throw unsupported("expiry", "put the time into a header and let the handler decide");
  }
  if (uniqueForMs !== undefined && !can.deduplication) {
    throw unsupported("deduplication", "let the consumer pass over a messageId that it has handled already");
  }
  if (persistent === true && !can.persistent) {
    throw unsupported("persistent", "leave the option out to publish as durably as this adapter can");
  }
  if (expiresInMs !== undefined && !queue.lanes && queue.deadLetterQueue === undefined) {
    throw new MessagingError(
      "UNSUPPORTED",
      `${queue.name} has no dead letters, so an expired message would be lost: let the handler decide by a header`,
    );
  }
}

/** What a line for requests, which are worthless once their caller has gone, has no use for. */
function refuseOnLanes(name: string, { delayMs, persistent, uniqueForMs }: PublishOptions): void {
  if (uniqueForMs !== undefined) {
    throw new MessagingError(
      "UNSUPPORTED",
      `uniqueForMs: queue ${name} has lanes, which remember nothing: use a queue without lanes`,
    );
  }
  if (delayMs !== undefined && delayMs > 0) {
    throw new MessagingError(
      "UNSUPPORTED",
      `delayMs: queue ${name} has lanes, which do not delay: publish when it is due, or use a queue without lanes`,
    );
  }
  if (persistent === true) {
    throw new MessagingError(
      "UNSUPPORTED",
      `persistent: queue ${name} has lanes, whose messages are transient: use a queue without lanes to keep them`,
    );
  }
}

export function resolveConsumeOptions(
  options: ConsumeOptions,
  capabilities: Capabilities,
  queue: QueueSpec,
): ResolvedConsumeOptions {
  const faults = unknownKeys(options, CONSUME_KEYS);
  const { concurrency = 1, lane, maxAttempts = 5, maxDeliveries = 20, signal } = options;
  const prefetch = options.prefetch ?? concurrency;
  if (!isCount(concurrency, 0)) faults.push("concurrency must be a whole number ≥ 0");
  if (!isCount(prefetch, 0)) faults.push("prefetch must be a whole number ≥ 0");
  for (const [name, value] of Object.entries({ maxAttempts, maxDeliveries })) {
    if (value !== Number.POSITIVE_INFINITY && !isCount(value, 1)) {
      faults.push(`${name} must be a whole number ≥ 1, or Infinity`);
    }
  }
  if (lane !== undefined && !queue.lanes) {
    faults.push(`lane: queue ${queue.name} has none; ask for it with { lanes: true }, or leave the option out`);
  } else if (lane !== undefined && !PRIORITIES.has(lane)) {
    faults.push("lane must be bulk, standard or expedite");
  }
  if (faults.length > 0) throw invalid(faults);
  const bounded = maxAttempts !== Number.POSITIVE_INFINITY || maxDeliveries !== Number.POSITIVE_INFINITY;
  if (bounded && !capabilities.queue.deadLetter) throw unsupported("deadLetter", UNBOUNDED);
  if (bounded && queue.lanes) {
    throw new MessagingError("UNSUPPORTED", `queue ${queue.name} has lanes, and so no dead letters: ${UNBOUNDED}`);
  }
  return {
    concurrency,
    prefetch: Math.max(prefetch, concurrency),
    lane,
    maxAttempts,
    maxDeliveries,
    signal,
  };
}

export function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** `INVALID_ARGUMENT` that names all faults at once. */
export function invalid(faults: readonly string[]): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", faults.join("; "));
}

function unsupported(capability: string, alternative: string): MessagingError {
  return new MessagingError("UNSUPPORTED", `this adapter's capability ${capability} is false: ${alternative}`);
}

export function unknownKeys(options: object, known: ReadonlySet<string>): string[] {
  return Object.keys(options)
    .filter((key) => !known.has(key))
    .map((key) => `unknown option ${key}; known are ${[...known].join(", ")}`);
}
