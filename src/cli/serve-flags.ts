import { type Command, Option } from "commander";
import { DEFAULT_BROKER_URL } from "../container/default-broker.js";
import type { ServeKey } from "./serve-schema.js";

interface Flag {
  readonly argument?: string;
  /** Without an argument: turns on what is off, or off what is on. */
  readonly turns?: "on" | "off";
  /** There is no flag: what is on the command line, every user of the machine can see. */
  readonly isSecret?: boolean;
  readonly help: string;
  /** Absent: the text as it is. What is no number stays text, so that the schema names the fault. */
  readonly read?: (text: string, before: unknown) => unknown;
}

const number = (text: string): unknown => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text);
/** Given several times: all of them. */
const each = (text: string, before: unknown): unknown => [...(Array.isArray(before) ? before : []), text];
const list = (text: string): unknown => (text === "" ? [] : text.split(","));

const ms = (help: string): Flag => ({ argument: "<ms>", help, read: number });

export const SERVE_ENV = {
  FAIRLEAD_BROKER: "broker",
  FAIRLEAD_LISTEN: "listen",
  FAIRLEAD_TOKENS: "tokens",
} as const satisfies Record<string, ServeKey>;

const FLAGS: Readonly<Record<ServeKey, Flag>> = {
  broker: {
    argument: "<url>",
    help: `sqlite:FILE, memory:, amqp://… or amqps://… (default ${DEFAULT_BROKER_URL}, or FAIRLEAD_BROKER)`,
  },
  listen: { argument: "<host:port>", help: "port 0 takes a free one (default 127.0.0.1:10001, or FAIRLEAD_LISTEN)" },
  tlsCert: { argument: "<file>", help: "encrypt: the server's certificate, in PEM, read anew when it changes" },
  tlsKey: { argument: "<file>", help: "its private key, in PEM, not encrypted" },
  tlsClientCa: { argument: "<file>", help: "each client needs a certificate of these authorities, in PEM" },
  tlsClientCrl: {
    argument: "<file>",
    help:
      "what was revoked, in PEM, read anew when it changes: one list for each authority in the chain of a client, " +
      "intermediates included; a missing one, or one out of date, refuses its clients",
  },
  tokensFile: {
    argument: "<file>",
    help: "who may call and what, JSON, read anew when it changes (or FAIRLEAD_TOKENS, which holds the JSON itself)",
  },
  tokens: { isSecret: true, help: "" },
  insecure: { turns: "on", help: "let others reach the server also without TLS and authentication" },
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
  nodeId: { argument: "<id>", help: "the ServerNodeID, another one for each server (default a new UUID)" },
  nodeName: { argument: "<name>", help: "stands in every line of the log (default none)" },
  drainMs: ms("how long a stop waits for outstanding acks and calls (default 30000)"),
  connectTimeoutMs: ms("how long the start waits for the broker (default 10000)"),
  logLevel: { argument: "<level>", help: "error, warn, info (default) or debug, which adds stack traces" },
  logFormat: { argument: "<format>", help: "text (default) or json; logs go to standard error" },
  queue: { argument: "<name>", help: "the queue that holds the events (default events)" },
  ackTimeoutMs: ms("an event not acknowledged within this time has failed (default 5000)"),
  retrySchedule: {
    argument: "<durations>",
    help: "waits after each failure, after losses with a random time beyond, then dead-lettered (default 1m,5m,15m,1h,6h,24h,48h)",
    read: list,
  },
  maxEventBytes: { argument: "<bytes>", help: "of one event (default 1048576)", read: number },
  creditPerSubscriber: {
    argument: "<n>",
    help: "unacknowledged events per subscriber at first (default 3)",
    read: number,
  },
  maxCreditPerSubscriber: { argument: "<n>", help: "up to where quick acks raise that (default 100)", read: number },
  lossesPerStep: {
    argument: "<n>",
    help: "subscribers lost in a row with an event that count as a failure; up to as long again is waited then, of 1s to 60s (default 3)",
    read: number,
  },
  subscribeIntervalMs: ms("a client that subscribes again within this time waits (default 1000)"),
  ackForwardIntervalMs: ms("how often an ack for another server is sent again (default 250)"),
  ackForwardTimeoutMs: ms("how long an ack waits for that server's answer (default 2000)"),
  closeForwardTimeoutMs: ms("how long a close waits for the server with the client (default 1000)"),
  postIdMemoryMs: ms("how long a post id is known (default 600000)"),
  doneMemoryMs: ms("how long it is known what was done at servers that are gone (default 600000)"),
  deliver: { turns: "off", help: "take posts, but nothing from the queue: subscribers wait" },
  postTimeoutMs: ms("how long a post may wait for the broker (default 30000)"),
  settleTimeoutMs: ms("how long an ack waits to reach the broker (default 5000)"),
  endTimeoutMs: ms("how long to wait for a stream to end (default 1000)"),
  historyMs: ms("for sqlite: how long events that are over are kept; 0 keeps none (default 604800000)"),
  maxHistoryMessages: {
    argument: "<n>",
    help: "for sqlite: the most of these that are kept (default 100000)",
    read: number,
  },
  maxHistoryBytes: {
    argument: "<bytes>",
    help: "for sqlite: the most of their bodies (default 268435456)",
    read: number,
  },
  queueType: { argument: "<type>", help: "for RabbitMQ: quorum (default) or classic" },
  keepaliveTimeMs: ms("a silent client is pinged after this time (default 10000)"),
  keepaliveTimeoutMs: ms("a ping must be answered within this time (default 3000)"),
  maxReceiveBytes: { argument: "<bytes>", help: "of one request (default 4194304)", read: number },
  maxStreamsPerConnection: { argument: "<n>", help: "calls at once on one connection (default 2000)", read: number },
  maxConnections: { argument: "<n>", help: "connections at once (default 10000)", read: number },
  maxConnectionsPerAddress: {
    argument: "<n>",
    help: "of those, from one address or IPv6 /64 network (default as many)",
    read: number,
  },
  handshakeTimeoutMs: ms("a connection must speak HTTP/2 within this time, TLS included (default 10000)"),
  maxHeaderBytes: { argument: "<bytes>", help: "of the metadata of one call (default 16384)", read: number },
  messageTimeoutMs: ms("a message that is begun must be whole within this time (default 60000)"),
  maxUnfinishedBytesPerAddress: {
    argument: "<bytes>",
    help: "of messages that are not whole, from one address (default 268435456)",
    read: number,
  },
  maxOpenCallsPerClient: {
    argument: "<n>",
    help: "calls of every kind at once of one client: its token, else its address (default no limit)",
    read: number,
  },
  maxSubscribersPerClient: {
    argument: "<n>",
    help: "subscriptions at once of one client (default no limit)",
    read: number,
  },
  maxCallsPerSecond: {
    argument: "<n>",
    help: "calls of one client; more are refused (default no limit)",
    read: number,
  },
  callBurst: { argument: "<n>", help: "calls at once after a rest (default --max-calls-per-second)", read: number },
  maxPostsPerSecond: {
    argument: "<n>",
    help: "events posted by one client; more are refused, on a stream slowed down (default no limit)",
    read: number,
  },
  postBurst: { argument: "<n>", help: "events at once after a rest (default --max-posts-per-second)", read: number },
  maxRequestBytes: { argument: "<bytes>", help: "of one call's request, in parts (default 67108864)", read: number },
  maxUploadBytes: { argument: "<bytes>", help: "of all requests that come in parts (default 268435456)", read: number },
  maxUploadBytesPerClient: {
    argument: "<bytes>",
    help: "of those, what one connection may hold (default half, or one request of the largest size)",
    read: number,
  },
  maxCallsPerClient: { argument: "<n>", help: "calls to sinks at once on one connection (default 1000)", read: number },
  maxConnectionIdleMs: ms("a connection without calls is closed after this time (default never)"),
  maxConnectionAgeMs: ms("a connection is closed after this time, whatever it does (default never)"),
  maxConnectionAgeGraceMs: ms("its calls may end within this time more (default never ends)"),
  recycleConnections: { turns: "on", help: "for tests of clients: these three are 15000, 5000 and 3000 unless given" },
  refusalDelayMs: ms("a refused subscribe is answered after this time (default 1000)"),
  shutdownGraceMs: ms("how long connections may take to end after the drain (default 1000)"),
};

/** `ackTimeoutMs` → `--ack-timeout-ms`. */
export function flagOf(key: string): string {
  return `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function addServeFlags(command: Command): void {
  for (const [key, flag] of Object.entries(FLAGS)) {
    const { argument = "", help, turns, isSecret, read = (text: string): unknown => text } = flag;
    if (isSecret === true) continue;
    if (turns === "off") {
      // The positive form keeps commander from setting it by default, which would win over the file.
      command.addOption(new Option(flagOf(key)).hideHelp());
      command.option(`--no-${flagOf(key).slice(2)}`, help);
    } else if (turns === "on") {
      command.option(flagOf(key), help);
    } else {
      command.addOption(new Option(`${flagOf(key)} ${argument}`, help).argParser<unknown>(read));
    }
  }
}
