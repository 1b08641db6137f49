import { inspect } from "node:util";
import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import { NACKED, REPLY } from "./amqp.js";

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
  ["EPROTO", "INVALID_ARGUMENT"],
  ["ERR_SSL_WRONG_VERSION_NUMBER", "INVALID_ARGUMENT"],
  ["CERT_HAS_EXPIRED", "UNAUTHENTICATED"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "UNAUTHENTICATED"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "UNAUTHENTICATED"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNAUTHENTICATED"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNAUTHENTICATED"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "UNAUTHENTICATED"],
]);

/** There are too many to list, and all mean that one side does not trust the other. */
const TLS_FAILURE = /^ERR_(?:SSL|TLS)_/;

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
    pattern: /^Field '(\w+)' is the wrong type; must be a string \(up to 255 chars\)/,
    code: "INVALID_ARGUMENT",
    text: ([, field]) => `${field} must be a text of at most 255 bytes`,
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
  { pattern: /^Heartbeat timeout/, code: "UNAVAILABLE", text: () => "the broker was silent for too long (heartbeat)" },
  { pattern: new RegExp(`^${NACKED}`), code: "REJECTED", text: () => "the broker refused the message (nack)" },
];

/** Where there is neither: the library's own words for a link that is gone. */
const LOST = /^(?:Socket closed abruptly|Unexpected close|channel closed|Channel (?:ended|clos)|Connection clos)/;

/** What Node says by code, in words that say what to do. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is the broker running there?",
  ENOTFOUND: "there is no such host",
  ERR_SSL_WRONG_VERSION_NUMBER: "the other side speaks no TLS there: use amqp:, or its TLS port",
};

/** Any error as the one class that crosses a port; the original is its cause. */
export function toMessagingError(error: unknown): MessagingError {
  if (MessagingError.is(error)) return error;
  if (!(error instanceof Error))
    return new MessagingError("UNKNOWN", `not an error: ${inspect(error)}`, { cause: error });
  const code: unknown = "code" in error ? error.code : undefined;
  for (const reading of BY_TEXT) {
    const match = reading.pattern.exec(error.message);
    if (match !== null) return new MessagingError(reading.code, reading.text(match, error.message), { cause: error });
  }
  const known = BY_CODE.get(code) ?? (TLS_FAILURE.test(String(code)) ? "UNAUTHENTICATED" : undefined);
  if (known === undefined && LOST.test(error.message)) {
    return new MessagingError("UNAVAILABLE", `the link to the broker was lost: ${error.message}`, { cause: error });
  }
  const text = (typeof code === "string" ? WORDS[code] : undefined) ?? (replyText(error.message) || error.name);
  return new MessagingError(known ?? "UNKNOWN", text, { cause: error });
}

/** The same, saying what was attempted. */
export function withContext(context: string, error: unknown): MessagingError {
  const { code, message, retryable } = toMessagingError(error);
  return new MessagingError(code, `${context}: ${message}`, { cause: error, retryable });
}

/** The broker's own words, without the wrapping. */
function replyText(message: string): string {
  const quoted = /with message "(.*?)"?$/s.exec(message)?.[1] ?? message;
  return quoted.replace(/^[A-Z_]+ - /, "");
}

/** `'classic'`, `the value '5' of type 'byte'`, `none`. */
function valueIn(text: string | undefined): string {
  const quoted = /'(.*?)'/.exec(text ?? "")?.[1];
  return quoted === "" ? '""' : (quoted ?? text ?? "?");
}
