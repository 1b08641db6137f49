/** Of one revocation list, in milliseconds of the epoch. Undefined: the list does not say. */
export interface RevocationTimes {
  readonly thisUpdate: number;
  readonly nextUpdate: number | undefined;
}

/** A list is told to be near its end in this last share of its time. */
const NEAR_THE_END = 0.1;
const LISTS = /-----BEGIN X509 CRL-----([^-]+)-----END X509 CRL-----/g;
const INTEGER = 0x02;
const SEQUENCE = 0x30;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/**
 * What is wrong with revocation lists although they can be used: their time. TLS refuses each client that a list out of
 * its time is for, and Node.js does not tell when that is.
 */
export function revocationWarnings(pem: Buffer, nowMs: number): readonly string[] {
  const warnings: string[] = [];
  const lists = [...pem.toString("latin1").matchAll(LISTS)];
  for (const [index, [, base64 = ""]] of lists.entries()) {
    const times = revocationTimes(Buffer.from(base64, "base64"));
    const fault = times === undefined ? undefined : faultOf(times, nowMs);
    const which = lists.length === 1 ? "the revocation list" : `revocation list ${index + 1} of ${lists.length}`;
    if (fault !== undefined) warnings.push(`${which} ${fault}`);
  }
  return warnings;
}

function faultOf({ thisUpdate, nextUpdate }: RevocationTimes, nowMs: number): string | undefined {
  if (thisUpdate > nowMs)
    return `is valid from ${dateOf(thisUpdate)}: until then the clients of its authority are refused`;
  if (nextUpdate === undefined) return undefined;
  if (nextUpdate <= nowMs) return `ran out on ${dateOf(nextUpdate)}: the clients of its authority are refused`;
  if (nextUpdate - nowMs > NEAR_THE_END * (nextUpdate - thisUpdate)) return undefined;
  return `runs out on ${dateOf(nextUpdate)}: from then on the clients of its authority are refused`;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Of a CertificateList in DER (RFC 5280, 5.1). Undefined for what is none. */
export function revocationTimes(der: Buffer): RevocationTimes | undefined {
  const list = elementAt(der, 0, der.byteLength);
  if (list?.tag !== SEQUENCE) return undefined;
  const signed = elementAt(der, list.start, list.end);
  if (signed?.tag !== SEQUENCE) return undefined;
  let next = elementAt(der, signed.start, signed.end);
  const following = (): void => {
    next = next === undefined ? undefined : elementAt(der, next.end, signed.end);
  };
  // The version, the algorithm of the signature, and the name of the authority stand before the times.
  if (next?.tag === INTEGER) following();
  following();
  following();
  const thisUpdate = timeOf(der, next);
  following();
  return thisUpdate === undefined ? undefined : { thisUpdate, nextUpdate: timeOf(der, next) };
}

interface Element {
  readonly tag: number;
  /** Of its content. */
  readonly start: number;
  readonly end: number;
}

function elementAt(der: Buffer, at: number, limit: number): Element | undefined {
  if (at + 2 > limit) return undefined;
  const [tag = 0, first = 0] = der.subarray(at, at + 2);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const start = at + 2 + lengthBytes;
  if ((first >= 0x80 && (lengthBytes < 1 || lengthBytes > 4)) || start > limit) return undefined;
  const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
  return start + length > limit ? undefined : { tag, start, end: start + length };
}

function timeOf(der: Buffer, element: Element | undefined): number | undefined {
  if (element === undefined || (element.tag !== UTC_TIME && element.tag !== GENERALIZED_TIME)) return undefined;
  const text = der.toString("latin1", element.start, element.end);
  // Of two digits of a year, 50 to 99 are of the last century.
  const full = element.tag === GENERALIZED_TIME ? text : `${text < "5" ? "20" : "19"}${text}`;
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}
