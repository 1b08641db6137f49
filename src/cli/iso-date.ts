const DATE = String.raw`(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)`;
const TIME = String.raw`(?<hour>\d\d):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d{1,9}))?)?`;
const ZONE = String.raw`Z|(?<sign>[+-])(?<zoneHour>\d\d):?(?<zoneMinute>\d\d)`;
const PATTERN = new RegExp(`^${DATE}(?:T${TIME}(?:${ZONE})?)?$`);

/** A point in time: whole seconds since the epoch, and nanoseconds forward from them. */
export interface IsoDate {
  readonly seconds: number;
  readonly nanos: number;
}

/**
 * An ISO 8601 date, or date and time, of the years 0001 to 9999; undefined if it is none. Without a zone it is UTC. Unlike
 * `Date.parse` it knows nanoseconds, and no 30th of February.
 */
export function parseIsoDate(text: string): IsoDate | undefined {
  const groups = PATTERN.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const number = (name: string): number => Number(groups[name] ?? 0);
  const inRange = number("hour") < 24 && number("minute") < 60 && number("second") < 60 && number("year") > 0;
  if (!inRange || number("zoneHour") > 23 || number("zoneMinute") > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(number("year"), number("month") - 1, number("day"));
  // A day that its month does not have has become one of the next month.
  if (date.getUTCMonth() !== number("month") - 1 || date.getUTCDate() !== number("day")) return undefined;
  date.setUTCHours(number("hour"), number("minute"), number("second"));
  const zoneSeconds = number("zoneHour") * 3_600 + number("zoneMinute") * 60;
  const seconds = date.getTime() / 1_000 - (groups.sign === "-" ? -zoneSeconds : zoneSeconds);
  return { seconds, nanos: Number((groups.fraction ?? "").padEnd(9, "0")) };
}
