import type { InspectedMessage } from "../ports/inspection.js";
import { oneLine } from "./failure.js";

const decoder = new TextDecoder("utf-8", { fatal: true });
const SHOWN_BODY = 80;
const SHOWN_REASON = 120;

/** Everything of a message, as one line of JSON. A body that is JSON stands in it as it was written. */
export function messageJson({ body, ...message }: InspectedMessage): string {
  const { messageId, state, attempt, headers } = message;
  const times = {
    publishedAt: iso(message.publishedAt),
    dueAt: iso(message.dueAt),
    changedAt: iso(message.changedAt),
  };
  const rest = JSON.stringify({ messageId, state, attempt, ...times, headers });
  return `${rest.slice(0, -1)},"body":${bodyJson(body)}}`;
}

/** Everything of a message, for people. */
export function messageBlock(message: InspectedMessage): string {
  const { messageId, state, attempt, publishedAt, dueAt, headers, body } = message;
  const lines = [
    `id:        ${oneLine(messageId)}`,
    `state:     ${state}, attempt ${attempt}`,
    `published: ${iso(publishedAt)}`,
    ...(dueAt === undefined ? [] : [`due:       ${iso(dueAt)}`]),
    ...Object.entries(headers).map(([name, value]) => `${oneLine(name)}: ${oneLine(value)}`),
    "",
    textOf(body) ?? `(${body.length} bytes, base64) ${Buffer.from(body).toString("base64")}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** One line of a dead letter: id, time, attempts, queue, reason, body. */
export function deadLine({ messageId, headers, body }: InspectedMessage): string {
  return fields(
    messageId,
    headers["dead-letter-at"] ?? "-",
    `attempts=${headers["dead-letter-attempts"] ?? "-"}`,
    headers["dead-letter-queue"] ?? "-",
    JSON.stringify(shortened(oneLine(headers["dead-letter-reason"] ?? "unknown"), SHOWN_REASON)),
    bodyStart(body),
  );
}

/** One line of an event: id, state, when it is due, attempt, who posted it, its keys, body. */
export function eventRow({ messageId, state, dueAt, publishedAt, attempt, headers, body }: InspectedMessage): string {
  return fields(
    messageId,
    state,
    iso(dueAt ?? publishedAt) ?? "-",
    `attempt=${attempt}`,
    `client=${headers["event-client-id"] ?? ""}`,
    `key1=${headers["event-key1"] ?? "0"}`,
    `key2=${headers["event-key2"] ?? "0"}`,
    bodyStart(body),
  );
}

function fields(...texts: readonly string[]): string {
  return texts.map(oneLine).join("  ");
}

function bodyStart(body: Uint8Array): string {
  const text = textOf(body);
  return text === undefined ? `(${body.length} bytes)` : shortened(oneLine(text), SHOWN_BODY);
}

function shortened(text: string, most: number): string {
  const characters = [...text.slice(0, most * 2)];
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : text;
}

function bodyJson(body: Uint8Array): string {
  const text = textOf(body);
  if (text === undefined) return JSON.stringify({ bytes: body.length, base64: Buffer.from(body).toString("base64") });
  try {
    JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  // Line ends in JSON stand only between its tokens.
  return text.trim().replaceAll(/[\r\n]+/g, " ");
}

/** Undefined for what is no UTF-8. */
function textOf(body: Uint8Array): string | undefined {
  try {
    return decoder.decode(body);
  } catch {
    return undefined;
  }
}

/** Null where there is none, as JSON has it. */
function iso(ms: number | undefined): string | null {
  const date = new Date(ms ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
