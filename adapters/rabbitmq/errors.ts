import { inspect } from "node:util";
import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import { NACKED, REPLY } from "./amqp.js";
import { tlsFailure } from "./tls-errors.js";

/** A reply code of the broker, an error code of Node: what it means to an application. */
const BY_CODE: ReadonlyMap<unknown, ErrorCode> = new Map<unknown, ErrorCode>([
  [REPLY.contentTooLarge, "TOO_LARGE"],
  [REPLY.noConsumers, "UNROUTABLE"],
  [REPLY.connectionForced, "UNAVAILABLE"],
  [REPLY.invalidPath, "NOT_FOUND"],
  [REPLY.accessRefused, "PERMISSION_DENIED"],
  [REPLY.notFound, "NOT_FOUND"],
  [REPLY.resourceLocked, "ALREADY_EXISTS"],
  [REPLY.preconditionFailed, "INVALID_ARGUMENT"],
  [REPLY.resourceError, "REJECTED"],
  [REPLY.notAllowed, "PERMISSION_DENIED"],
  [REPLY.notImplemented, "UNSUPPORTED"],
  [REPLY.internalError, "UNAVAILABLE"],
  ["ECONNREFUSED", "UNAVAILABLE"],
  ["ECONNRESET", "UNAVAILABLE"],
  ["ECONNABORTED", "UNAVAILABLE"],
  ["EPIPE", "UNAVAILABLE"],
  ["ETIMEDOUT", "UNAVAILABLE"],
  ["EHOSTUNREACH", "UNAVAILABLE"],
  ["ENETUNREACH", "UNAVAILABLE"],
  ["ENOTFOUND", "UNAVAILABLE"],
  ["EAI_AGAIN", "UNAVAILABLE"],
  ["ERR_STREAM_DESTROYED", "UNAVAILABLE"],
  ["ERR_STREAM_WRITE_AFTER_END", "UNAVAILABLE"],
  ["ABORT_ERR", "ABORTED"],
]);

interface Reading {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly text: (match: RegExpMatchArray, message: string) => string;
}

/** What only the text tells. The first that matches counts, before the code. */
const BY_TEXT: readonly Reading[] = [
  {
    pattern: /Handshake terminated by server: 403/,
    code: "UNAUTHENTICATED",
    text: () => "the broker refused user and password",
  },
  {
    pattern: /SASL mechanism \S+ is not provided/,
    code: "UNAUTHENTICATED",
    text: () => "the broker takes no user and password (SASL PLAIN is switched off)",
  },
  {
    // The broker's heartbeats begin before its client has said all: what a link slower than they are is told.
    pattern: /Expected \S+; got <Heartbeat>/,
    code: "UNAVAILABLE",
    text: () => "the handshake took longer than a heartbeat: the link is slow, or heartbeatSeconds is too low for it",
  },
  {
    // amqplib drops the broker's reason here.
    pattern: /Expected ConnectionOpenOk; got <ConnectionClose/,
    code: "NOT_FOUND",
    text: () => "the virtual host is not there, or the user may not use it, or its limit of connections is reached",
  },
  {
    pattern:
      /inequivalent arg '([^']+)' for (queue|exchange) '(.*?)' in vhost '.*?': received (.+) but current is (.+?)"?$/,
    code: "ALREADY_EXISTS",
    text: ([, property, kind, name, wanted, found]) =>
      `the ${kind} "${name}" is there with ${property} = ${valueIn(found)}, wanted is ${valueIn(wanted)}: ` +
      "change the options to match, or delete it once it is empty",
  },
  {
    // The broker cuts off what is over 255 bytes, which long names soon are: whoever declared knows what was wanted.
    pattern: /inequivalent arg '([^']+)' for (queue|exchange) '/,
    code: "ALREADY_EXISTS",
    text: ([, property, kind]) =>
      `the ${kind} is there with another ${property} (the broker's answer was cut off: look there which): ` +
      "change the options to match, or delete it once it is empty",
  },
  {
    pattern: /cannot obtain exclusive access to locked queue '(.*?)' in vhost/,
    code: "ALREADY_EXISTS",
    text: ([, name]) =>
      `the queue "${name}" is exclusive to another connection, wanted is one for all: choose another name, or end that one`,
  },
  {
    pattern: /message size (\d+) (?:is )?larger than (?:configured )?max size (\d+)/,
    code: "TOO_LARGE",
    text: ([, size, most]) => `the message has ${size} bytes, the broker takes ${most} (its max_message_size)`,
  },
  {
    pattern: /delivery acknowledgement on channel \d+ timed out/,
    code: "UNAVAILABLE",
    text: () => "the broker took the messages back: a handler ran longer than its consumer_timeout",
  },
  {
    pattern: /contains reserved prefix 'amq\.\*'/,
    code: "INVALID_ARGUMENT",
    text: () => "names that start with amq. are RabbitMQ's own: choose another name",
  },
  { pattern: /unknown delivery tag/, code: "INTERNAL", text: (_, message) => replyText(message) },
  {
    pattern: /^Field '(\w+)' is the wrong type; must be (.+)$/s,
    code: "INVALID_ARGUMENT",
    text: ([, field, wanted]) => `${field} must be ${wanted?.replace(/string \(.*\)/, "text of at most 255 bytes")}`,
  },
  {
    pattern: /^Encoded field table .* exceeds the (\d+) byte/,
    code: "TOO_LARGE",
    text: ([, most]) => `the headers are over ${most} bytes together`,
  },
  {
    pattern: /^The value of "value" is out of range\. It must be >= 0 and <= 255\./,
    code: "INVALID_ARGUMENT",
    text: () => "the name of a header is over 255 bytes",
  },
  {
    pattern: /^(?:Invalid frame|Unknown frame type|Frame size \d+ exceeds)/,
    code: "UNAVAILABLE",
    text: () => "the other side does not speak AMQP 0-9-1: is this the broker's AMQP port?",
  },
  {
    pattern: /^Socket closed abruptly during opening handshake/,
    code: "UNAVAILABLE",
    text: () =>
      "the other side closed the connection at once: is this the broker's AMQP port, and amqps: where it is for TLS?",
  },
  { pattern: /^Heartbeat timeout/, code: "UNAVAILABLE", text: () => "the broker was silent for too long (heartbeat)" },
  { pattern: new RegExp(`^${NACKED}`), code: "REJECTED", text: () => "the broker refused the message (nack)" },
];

/** Where there is neither: the library's own words for a link that is gone. */
const LOST = /^(?:Unexpected close|channel closed|Channel (?:ended|clos)|Connection clos)/;

/** What Node says by code, in words that say what to do. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is the broker running there?",
  ENOTFOUND: "there is no such host",
  ECONNRESET: "the other side cut the connection",
};

/**
 * The broker quotes the user's name, which is half of what proves who one is. It cuts its answers off, so that the quote may have no
 * end. Names may hold quotes.
 */
const USER = /( (?:for|by) |\b)user '(?:.*?'(?=["\s.,;:)]|$)|.*)/gs;

/**
 * Any error as the one class that crosses a port; the original is its cause, or a copy of it without the user's name if that is
 * in it.
 */
export function toMessagingError(thrown: unknown): MessagingError {
  if (MessagingError.is(thrown)) return thrown;
  if (!(thrown instanceof Error))
    return new MessagingError("UNKNOWN", `not an error: ${inspect(thrown)}`, { cause: thrown });
  const error = withoutUser(thrown);
  const code: unknown = "code" in error ? error.code : undefined;
  for (const reading of BY_TEXT) {
    const match = reading.pattern.exec(error.message);
    if (match !== null) return new MessagingError(reading.code, reading.text(match, error.message), { cause: error });
  }
  const tls = tlsFailure(error);
  if (tls !== undefined) return new MessagingError(tls.code, tls.text, { cause: error });
  const known = BY_CODE.get(code);
  if (known === undefined && LOST.test(error.message)) {
    return new MessagingError("UNAVAILABLE", `the link to the broker was lost: ${error.message}`, { cause: error });
  }
  const text = (typeof code === "string" ? WORDS[code] : undefined) ?? (replyText(error.message) || error.name);
  return new MessagingError(known ?? "UNKNOWN", text, { cause: error });
}

/** The same, saying what was attempted. */
export function withContext(context: string, error: unknown): MessagingError {
  const translated = toMessagingError(error);
  const { code, message, retryable } = translated;
  const cause: unknown = translated === error ? error : translated.cause;
  return new MessagingError(code, `${context}: ${message}`, { cause, retryable });
}

function withoutUser(error: Error): Error {
  const text = error.message.replace(USER, (_, before) => (before === "" ? "the user" : ""));
  if (text === error.message) return error;
  return Object.assign(new Error(text), "code" in error ? { code: error.code } : {});
}

/** The broker's own words, without the wrapping. */
function replyText(message: string): string {
  const quoted = /with message "(.*?)"?$/s.exec(message)?.[1] ?? message;
  return quoted.replace(/^[A-Z_]+ - /, "");
}

/** `'classic'`, `the value '5' of type 'byte'`, `none`. */
function valueIn(text: string | undefined): string {
  const cut = /'([^']*)\.\.\.$/.exec(text ?? "")?.[1];
  if (cut !== undefined) return `${cut}…`;
  const quoted = /'(.*?)'/.exec(text ?? "")?.[1];
  return quoted === "" ? '""' : (quoted ?? text ?? "?");
}
