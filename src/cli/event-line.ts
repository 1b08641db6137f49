/** An event as the server hands it over. */
export interface ReceivedEvent {
  readonly clientId: string;
  readonly eventJson: string;
  readonly userToken: string;
  readonly futureUserToken: string;
  readonly effectiveDate: { readonly seconds: string | number; readonly nanos: number } | null;
  readonly searchKey1: string;
  readonly searchKey2: string;
}

/** One line of JSON. What was posted as JSON stands in it as it was written, so that no number loses digits. */
export function eventLine(event: ReceivedEvent): string {
  const { clientId, eventJson, userToken, futureUserToken, effectiveDate, searchKey1, searchKey2 } = event;
  const rest = JSON.stringify({
    userToken,
    futureUserToken,
    effectiveDate: effectiveDate === null ? null : isoText(effectiveDate),
    searchKey1,
    searchKey2,
  });
  return `{"clientId":${JSON.stringify(clientId)},"eventJson":${embedded(eventJson)},${rest.slice(1)}`;
}

function embedded(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  // Line ends in JSON stand only between its tokens.
  return text.trim().replaceAll(/[\r\n]+/g, " ");
}

/** ISO 8601 with as many decimals as are needed, at least three. */
function isoText({ seconds, nanos }: NonNullable<ReceivedEvent["effectiveDate"]>): string | null {
  const date = new Date(Number(seconds) * 1_000);
  if (Number.isNaN(date.getTime())) return null;
  const fraction = String(nanos)
    .padStart(9, "0")
    .replace(/(000){1,2}$/, "");
  return date.toISOString().replace(/\.\d+Z$/, `.${fraction}Z`);
}
