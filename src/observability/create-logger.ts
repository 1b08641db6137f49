import type { Writable } from "node:stream";
import { format, type Logger, transports, createLogger as winstonLogger } from "winston";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "./log-level.js";

export interface LoggerOptions {
  /** The least serious level that is written. Default `"info"`. */
  readonly level?: LogLevel | undefined;
  /** Default `"text"`. Either way one line an entry, with its fields. */
  readonly format?: LogFormat | undefined;
  /** Stands in every entry, as its field `node`. Default: none. */
  readonly node?: string | undefined;
  /** Default: the process's standard error, so that standard output stays free for results. */
  readonly stream?: Writable | undefined;
}

/** A winston logger for a server process. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", format: kind = "text", node, stream = process.stderr } = options;
  return winstonLogger({
    level,
    levels: Object.fromEntries(LOG_LEVELS.map((name, severity) => [name, severity])),
    ...(node === undefined ? {} : { defaultMeta: { node } }),
    format: format.combine(format.timestamp(), kind === "json" ? format.json() : format.printf(textLine)),
    transports: [new transports.Stream({ stream })],
  });
}

function textLine({ timestamp, level, message, ...fields }: Readonly<Record<string, unknown>>): string {
  const head = `${String(timestamp)} ${String(level).padEnd(5)} ${oneLine(String(message))}`;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${textValue(value)}`);
  return head + rest.join("");
}

function textValue(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return /^[\w.:@/+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** What others wrote into an error must not look like an entry of its own. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
