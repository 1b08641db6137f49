import type { CheckedSelection } from "../driver/driver.js";
import { RESERVED_PREFIX } from "../driver/reserved-headers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { Capabilities } from "../ports/capabilities.js";
import type { MessageSelection, MessageState, ReplayOptions } from "../ports/inspection.js";
import { checkName, invalid, isCount, unknownKeys } from "./options.js";

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 100_000;

const STATES: readonly MessageState[] = ["available", "in-processing", "processed", "failed", "removed", "reaped"];
/** What can be taken out of a queue: the rest is history. */
const REMOVABLE: readonly MessageState[] = ["available", "in-processing"];

const SELECTION_KEYS = ["messageIds", "headers", "states", "dueFrom", "dueBefore", "limit", "signal"] as const;
const REPLAY_KEYS = [...SELECTION_KEYS, "to", "mayMoveTo", "ratePerSecond", "onMoved"] as const;

export interface CheckedReplay {
  readonly selection: CheckedSelection;
  readonly to: string | undefined;
  readonly mayMoveTo: ((queue: string) => boolean) | undefined;
  readonly ratePerSecond: number | undefined;
  readonly onMoved: ((moved: number) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Throws `INVALID_ARGUMENT` that names all faults, or `UNSUPPORTED` for what this adapter cannot select by. */
export function checkBrowse(queue: string, selection: MessageSelection, can: Capabilities): CheckedSelection {
  return checked(queue, selection, { faults: [], keys: SELECTION_KEYS, states: STATES, can });
}

/** As `checkBrowse`. */
export function checkRemove(
  queue: string,
  selection: MessageSelection,
  as: "removed" | "processed",
  can: Capabilities,
): CheckedSelection {
  const faults = as === "removed" || as === "processed" ? [] : ["as must be removed or processed"];
  return checked(queue, selection, { faults, keys: SELECTION_KEYS, states: REMOVABLE, can });
}

/** As `checkBrowse`. */
export function checkReplay(queue: string, options: ReplayOptions, can: Capabilities): CheckedReplay {
  const faults: string[] = [];
  const { to, mayMoveTo, ratePerSecond, onMoved, signal } = isRecord(options) ? (options as ReplayOptions) : {};
  if (to !== undefined) {
    gather(faults, () => checkName("queue", to));
    if (to === queue) faults.push("to must be another queue: what is moved to its own would come up again and again");
  }
  if (ratePerSecond !== undefined && !(Number.isFinite(ratePerSecond) && ratePerSecond > 0)) {
    faults.push("ratePerSecond must be a number > 0");
  }
  if (mayMoveTo !== undefined && typeof mayMoveTo !== "function") faults.push("mayMoveTo must be a function");
  if (onMoved !== undefined && typeof onMoved !== "function") faults.push("onMoved must be a function");
  const selection = checked(queue, options, { faults, keys: REPLAY_KEYS, states: ["available"], can });
  return { selection, to, mayMoveTo, ratePerSecond, onMoved, signal };
}

/** Throws `INVALID_ARGUMENT`, or `TOO_LARGE` for the body. */
export function checkUpdate(
  queue: string,
  messageId: string,
  body: Uint8Array,
  { maxMessageBytes }: Capabilities,
): void {
  const faults: string[] = [];
  gather(faults, () => checkName("queue", queue));
  if (!isText(messageId)) faults.push("messageId must be a non-empty string");
  if (!(body instanceof Uint8Array)) faults.push("the body must be a Uint8Array");
  if (faults.length > 0) throw invalid(faults);
  if (body.byteLength > maxMessageBytes) {
    throw new MessagingError(
      "TOO_LARGE",
      `the body has ${body.byteLength} bytes; at most ${maxMessageBytes} are taken`,
    );
  }
}

interface Rules {
  readonly faults: string[];
  readonly keys: readonly string[];
  /** Those that make sense here. */
  readonly states: readonly MessageState[];
  readonly can: Capabilities;
}

function checked(queue: string, given: MessageSelection, { faults, keys, states, can }: Rules): CheckedSelection {
  gather(faults, () => checkName("queue", queue));
  if (!isRecord(given)) throw invalid([...faults, "the selection must be an object: {} selects everything"]);
  const selection: MessageSelection = given;
  faults.push(...unknownKeys(selection, new Set(keys)));
  const { messageIds, headers, dueFrom, dueBefore, limit = DEFAULT_LIMIT, signal } = selection;
  if (messageIds !== undefined && !(isList(messageIds) && messageIds.every(isText))) {
    faults.push("messageIds must be a list of at least one non-empty string; leave it out to select by something else");
  }
  if (headers !== undefined) faults.push(...headerFaults(headers));
  const wanted = selection.states ?? ["available"];
  if (!isList(wanted) || !wanted.every((state) => states.includes(state))) {
    faults.push(`states must be a list of at least one of ${states.join(", ")}`);
  }
  for (const [name, time] of Object.entries({ dueFrom, dueBefore })) {
    if (time !== undefined && !Number.isFinite(time)) faults.push(`${name} must be milliseconds since the epoch`);
  }
  if (dueFrom !== undefined && dueBefore !== undefined && dueFrom >= dueBefore) {
    faults.push("dueFrom must be before dueBefore");
  }
  if (!isCount(limit, 1) || limit > MAX_LIMIT) faults.push(`limit must be a whole number from 1 to ${MAX_LIMIT}`);
  if (signal !== undefined && !(signal instanceof AbortSignal)) faults.push("signal must be an AbortSignal");
  if (faults.length > 0) throw invalid(faults);
  if (can.inspection !== "all") {
    if (wanted.some((state) => state !== "available")) refuse("states other than available");
    if (dueFrom !== undefined || dueBefore !== undefined) refuse("dueFrom and dueBefore");
  }
  return { messageIds, headers, dueFrom, dueBefore, limit, states: [...new Set(wanted)] };
}

/** Throws `UNSUPPORTED`, which says what to do instead. */
export function refuse(what: string): never {
  throw new MessagingError(
    "UNSUPPORTED",
    `${what}: this adapter's capability inspection is "ready", and so only what is due can be seen: ` +
      'leave it out, or use an adapter with "all"',
  );
}

function headerFaults(headers: unknown): string[] {
  if (!isRecord(headers)) return ["headers must be an object of texts"];
  return Object.entries(headers).flatMap(([name, value]) => {
    if (typeof value !== "string") return [`header ${name}: the value must be a string, not ${typeof value}`];
    return name.startsWith(RESERVED_PREFIX) ? [`header ${name}: the prefix ${RESERVED_PREFIX} is reserved`] : [];
  });
}

function gather(faults: string[], check: () => void): void {
  try {
    check();
  } catch (error) {
    faults.push((error as MessagingError).message);
  }
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && value.length > 0;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
