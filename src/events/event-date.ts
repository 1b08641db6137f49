import type { EventDate } from "./event.js";

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;
const NANOS_PER_SECOND = 1_000_000_000;
const NANOS_PER_MS = 1_000_000;

const WRITTEN = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{9})Z$/;
const SECONDS_LENGTH = "0000-00-00T00:00:00".length;

/** Why it is no date; undefined if it is one. */
export function eventDateFault(what: string, { seconds, nanos }: EventDate): string | undefined {
  if (!Number.isSafeInteger(seconds) || seconds < FIRST_SECOND || seconds > LAST_SECOND) {
    return `${what} must lie in the years 0001 to 9999: seconds from ${FIRST_SECOND} to ${LAST_SECOND}, not ${seconds}`;
  }
  if (!Number.isInteger(nanos) || nanos < 0 || nanos >= NANOS_PER_SECOND) {
    return `${what} must have nanos from 0 to ${NANOS_PER_SECOND - 1}, not ${nanos}`;
  }
  return undefined;
}

/** The first millisecond that is not before the date. */
export function dueMs({ seconds, nanos }: EventDate): number {
  return seconds * 1_000 + Math.ceil(nanos / NANOS_PER_MS);
}

export function eventDateOf(ms: number): EventDate {
  const seconds = Math.floor(ms / 1_000);
  return { seconds, nanos: Math.floor((ms - seconds * 1_000) * NANOS_PER_MS) };
}

/** The last one written: what is posted within a second shares it. */
let written = { seconds: Number.NaN, text: "" };

/** RFC 3339 with nine decimals: readable where messages are looked at. */
export function formatEventDate({ seconds, nanos }: EventDate): string {
  if (written.seconds !== seconds) {
    written = { seconds, text: new Date(seconds * 1_000).toISOString().slice(0, SECONDS_LENGTH) };
  }
  return `${written.text}.${String(nanos).padStart(9, "0")}Z`;
}

export function parseEventDate(text: string): EventDate | undefined {
  const nanos = WRITTEN.exec(text)?.[1];
  if (nanos === undefined) return undefined;
  const date: EventDate = { seconds: Date.parse(`${text.slice(0, SECONDS_LENGTH)}Z`) / 1_000, nanos: Number(nanos) };
  return eventDateFault("it", date) === undefined ? date : undefined;
}
