import { type Command, Option } from "commander";
import type { ServeKey } from "./serve-schema.js";

interface Flag {
  readonly argument: string;
  readonly help: string;
  /** Absent: the text as it is. What is no number stays text, so that the schema names the fault. */
  readonly read?: (text: string, before: unknown) => unknown;
}

const number = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
/** Given several times: all of them. */
const each = (text: string, before: unknown): unknown => [...(Array.isArray(before) ? before : []), text];
const list = (text: string): unknown => (text === "" ? [] : text.split(","));

const ms = (help: string): Flag => ({ argument: "<ms>", help, read: number });

export const SERVE_ENV = { FAIRLEAD_BROKER: "broker", FAIRLEAD_LISTEN: "listen" } as const satisfies Record<
  string,
  ServeKey
>;

const FLAGS: Readonly<Record<ServeKey, Flag>> = {
  broker: { argument: "<url>", help: "memory:, amqp://… or amqps://… (default memory:, or FAIRLEAD_BROKER)" },
  listen: { argument: "<host:port>", help: "port 0 takes a free one (default 127.0.0.1:10001, or FAIRLEAD_LISTEN)" },
  sink: {
    argument: "<module>",
    help: "serve the sinks that this module exports; may be given several times",
    read: each,
  },
  remoteSinks: {
    argument: "<names>",
    help: "sinks elsewhere on the broker that gRPC clients may call, with commas; * is any (default *)",
    read: list,
  },
  drainMs: ms("how long a stop waits for outstanding acks and calls (default 30000)"),
  connectTimeoutMs: ms("how long the start waits for the broker (default 10000)"),
  logLevel: { argument: "<level>", help: "error, warn, info (default) or debug, which adds stack traces" },
  logFormat: { argument: "<format>", help: "text (default) or json; logs go to standard error" },
  queue: { argument: "<name>", help: "the queue that holds the events (default events)" },
  ackTimeoutMs: ms("an event not acknowledged within this time has failed (default 5000)"),
  retrySchedule: {
    argument: "<durations>",
    help: "waits after each failure, then dead-lettered (default 1m,5m,15m,1h,6h,24h,48h)",
    read: list,
  },
  maxEventBytes: { argument: "<bytes>", help: "of one event (default 1048576)", read: number },
  creditPerSubscriber: { argument: "<n>", help: "unacknowledged events per subscriber (default 3)", read: number },
  postTimeoutMs: ms("how long a post may wait for the broker (default 30000)"),
  settleTimeoutMs: ms("how long an ack waits to reach the broker (default 5000)"),
  endTimeoutMs: ms("how long to wait for a stream to end (default 1000)"),
  queueType: { argument: "<type>", help: "for RabbitMQ: quorum (default) or classic" },
  keepaliveTimeMs: ms("a silent client is pinged after this time (default 10000)"),
  keepaliveTimeoutMs: ms("a ping must be answered within this time (default 3000)"),
  maxReceiveBytes: { argument: "<bytes>", help: "of one request (default 4194304)", read: number },
  maxStreamsPerConnection: { argument: "<n>", help: "calls at once on one connection (default 2000)", read: number },
  maxConnections: { argument: "<n>", help: "connections at once (default 10000)", read: number },
  maxRequestBytes: { argument: "<bytes>", help: "of one call's request, in parts (default 67108864)", read: number },
  maxUploadBytes: { argument: "<bytes>", help: "of all requests that come in parts (default 268435456)", read: number },
  maxCallsPerClient: { argument: "<n>", help: "calls to sinks at once on one connection (default 1000)", read: number },
  refusalDelayMs: ms("a refused subscribe is answered after this time (default 1000)"),
  shutdownGraceMs: ms("how long connections may take to end after the drain (default 1000)"),
};

/** `ackTimeoutMs` → `--ack-timeout-ms`. */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function addServeFlags(command: Command): void {
  for (const [key, { argument, help, read = (text: string): unknown => text }] of Object.entries(FLAGS)) {
    command.addOption(new Option(`${flagOf(key)} ${argument}`, help).argParser<unknown>(read));
  }
}
