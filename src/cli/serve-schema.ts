import { z } from "zod";
import { checkBrokerUrl, DEFAULT_BROKER_URL } from "../container/index.js";
import { checkName } from "../core/options.js";
import { LOG_FORMATS, LOG_LEVELS } from "../observability/index.js";
import { errorText } from "../util/error-text.js";
import { addressFault } from "./address.js";
import { parseDuration } from "./duration.js";

/** A text, checked by a function that says what is wrong with it. */
const text = (expected: string, check: (value: string) => string | undefined) =>
  z.string({ error: `must be ${expected}` }).superRefine((value, context) => {
    const fault = check(value);
    if (fault !== undefined) context.addIssue({ code: "custom", message: fault });
  });

const whole = (unit: string, least: number, most: number) => {
  const error = `must be a whole number of ${unit} from ${least} to ${most}`;
  return z.number({ error }).refine((value) => Number.isInteger(value) && value >= least && value <= most, { error });
};

const notEmpty = (value: string) => (value === "" ? "must not be empty" : undefined);

const DAY_MS = 86_400_000;
const ms = (least = 1) => whole("milliseconds", least, DAY_MS);

const oneOf = <const Choices extends readonly [string, ...string[]]>(choices: Choices) =>
  z.enum(choices, { error: `must be one of ${choices.join(", ")}` });

const YEAR_MS = 365 * DAY_MS;
const DURATIONS = "must be a list of durations of at most a year, for example 30s, 5m, 1h or 2d";
const durations = z
  .array(z.string({ error: DURATIONS }), { error: DURATIONS })
  .max(50, { error: "must hold at most 50 durations" })
  .refine((list) => list.every((item) => (parseDuration(item) ?? Infinity) <= YEAR_MS), { error: DURATIONS })
  .transform((list) => list.map((item) => parseDuration(item) ?? 0));

const list = (what: string) => {
  const error = `must be ${what}, or a list of such`;
  const entry = z.string({ error }).min(1, { error });
  return z
    .union([entry, z.array(entry, { error }).max(1_000, { error: "must hold at most 1000 entries" })], { error })
    .transform((value) => (typeof value === "string" ? [value] : value));
};

/**
 * What `fairlead serve` can be told, by key of the configuration file; the flag is the same in kebab case. Numbers without
 * a default have theirs in the event service or in the gRPC adapter.
 */
export const serveSchema = z.strictObject({
  broker: text("a broker URL", (value) => faultOf(() => checkBrokerUrl(value))).default(DEFAULT_BROKER_URL),
  listen: text("host:port", (value) => addressFault(value, { portZero: true })).default("127.0.0.1:10001"),
  tlsCert: text("the path of a file", notEmpty).optional(),
  tlsKey: text("the path of a file", notEmpty).optional(),
  tlsClientCa: text("the path of a file", notEmpty).optional(),
  tlsClientCrl: text("the path of a file", notEmpty).optional(),
  tokensFile: text("the path of a file", notEmpty).optional(),
  tokens: z
    .union([z.string().min(1), z.record(z.string(), z.unknown())], {
      error: "must be entries by name, or JSON of them",
    })
    .optional(),
  insecure: z.boolean({ error: "must be true or false" }).optional(),
  sink: list("the path of a module that exports sinks").default([]),
  remoteSinks: list("the name of a sink, or * for any").default(["*"]),
  nodeId: text("the id of a node", (value) => faultOf(() => checkName("node", value))).optional(),
  nodeName: text("a name for the log", (value) => (value === "" ? "must not be empty" : undefined)).optional(),
  drainMs: ms(0).default(30_000),
  connectTimeoutMs: ms().default(10_000),
  logLevel: oneOf(LOG_LEVELS).default("info"),
  logFormat: oneOf(LOG_FORMATS).default("text"),
  queue: text("the name of a queue", (value) => faultOf(() => checkName("queue", value))).optional(),
  ackTimeoutMs: ms().optional(),
  retrySchedule: durations.optional(),
  maxEventBytes: whole("bytes", 1, 134_217_728).optional(),
  creditPerSubscriber: whole("events", 1, 1_000).optional(),
  maxCreditPerSubscriber: whole("events", 1, 1_000).optional(),
  lossesPerStep: whole("losses", 1, 1_000).optional(),
  subscribeIntervalMs: ms(0).optional(),
  ackForwardIntervalMs: ms().optional(),
  ackForwardTimeoutMs: ms().optional(),
  closeForwardTimeoutMs: ms().optional(),
  postIdMemoryMs: ms().optional(),
  doneMemoryMs: ms().optional(),
  deliver: z.boolean({ error: "must be true or false" }).optional(),
  postTimeoutMs: ms().optional(),
  settleTimeoutMs: ms().optional(),
  endTimeoutMs: ms().optional(),
  historyMs: whole("milliseconds", 0, 10 * YEAR_MS).optional(),
  maxHistoryMessages: whole("events", 0, 100_000_000).optional(),
  maxHistoryBytes: whole("bytes", 0, 1_099_511_627_776).optional(),
  queueType: oneOf(["quorum", "classic"]).optional(),
  keepaliveTimeMs: ms(100).optional(),
  keepaliveTimeoutMs: ms(100).optional(),
  maxReceiveBytes: whole("bytes", 1_024, 1_073_741_824).optional(),
  maxStreamsPerConnection: whole("calls", 1, 1_000_000).optional(),
  maxConnections: whole("connections", 1, 1_000_000).optional(),
  maxConnectionsPerAddress: whole("connections", 1, 1_000_000).optional(),
  handshakeTimeoutMs: ms(100).optional(),
  maxHeaderBytes: whole("bytes", 1_024, 1_048_576).optional(),
  messageTimeoutMs: ms(100).optional(),
  maxUnfinishedBytesPerAddress: whole("bytes", 65_536, 68_719_476_736).optional(),
  maxOpenCallsPerClient: whole("calls", 1, 1_000_000).optional(),
  maxSubscribersPerClient: whole("subscriptions", 1, 1_000_000).optional(),
  maxCallsPerSecond: whole("calls", 1, 1_000_000).optional(),
  callBurst: whole("calls", 1, 1_000_000).optional(),
  maxPostsPerSecond: whole("events", 1, 1_000_000).optional(),
  postBurst: whole("events", 1, 1_000_000).optional(),
  maxRequestBytes: whole("bytes", 1, 1_073_741_824).optional(),
  maxUploadBytes: whole("bytes", 1, 68_719_476_736).optional(),
  maxUploadBytesPerClient: whole("bytes", 1, 68_719_476_736).optional(),
  maxCallsPerClient: whole("calls", 1, 1_000_000).optional(),
  maxConnectionIdleMs: ms(100).optional(),
  maxConnectionAgeMs: ms(100).optional(),
  maxConnectionAgeGraceMs: ms(0).optional(),
  recycleConnections: z.boolean({ error: "must be true or false" }).optional(),
  refusalDelayMs: ms(0).optional(),
  shutdownGraceMs: ms(0).optional(),
});

export type ServeSettings = Readonly<z.infer<typeof serveSchema>>;
export type ServeKey = keyof ServeSettings;

function faultOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}
