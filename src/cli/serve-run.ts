import { grpcModule } from "../../adapters/grpc/index.js";
import {
  brokerModule,
  createContainer,
  maskBrokerUrl,
  messagingModule,
  type ServedSink,
  type Server,
  sinkModule,
  TOKENS,
} from "../container/index.js";
import { systemRandom } from "../core/system-random.js";
import { createLogger, winstonObserver } from "../observability/index.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Observer } from "../ports/observer.js";
import { onAbort } from "../util/abort.js";
import { brokerFailure } from "./broker-failure.js";
import { readConfigFile } from "./config-file.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { showStacks } from "./failure.js";
import { gatewaySinks } from "./gateway-sinks.js";
import { flagOf, SERVE_ENV } from "./serve-flags.js";
import { type ServeSettings, serveSchema } from "./serve-schema.js";
import { serverSecurity } from "./server-security.js";
import { resolveSettings } from "./settings.js";
import { SERVED_BY, signedSink } from "./signed-sink.js";
import { loadSinkModules } from "./sink-modules.js";
import { onStopSignal } from "./stop-signal.js";

export interface ServeFlags extends Readonly<Record<string, unknown>> {
  readonly config?: string;
}

export function settingsOf({ config, ...flags }: ServeFlags, env: NodeJS.ProcessEnv): ServeSettings {
  const names = new Map<string, string>(Object.entries(SERVE_ENV).map(([name, key]) => [key, name]));
  // A variable that is empty is one that was not set.
  const fromEnv = [...names].map(([key, name]) => [key, env[name] || undefined]);
  return resolveSettings(serveSchema, [
    { values: flags, origin: flagOf },
    { values: Object.fromEntries(fromEnv), origin: (key) => names.get(key) ?? key },
    { values: config === undefined ? {} : readConfigFile(config), origin: (key) => `${key} in ${config}` },
  ]);
}

/** Serves until a signal comes or a part of the server ends. */
export async function serve(settings: ServeSettings): Promise<ExitCode> {
  const { broker, drainMs, logLevel, logFormat, nodeId = systemRandom.uuid(), nodeName } = settings;
  showStacks(logLevel === "debug");
  const sinks = await loadSinkModules(settings.sink);
  const logger = createLogger({ level: logLevel, format: logFormat, node: nodeName });
  let wasOpen = false;
  const watch: Observer = (observation) => {
    if (observation.type === "connection" && observation.state === "open") wasOpen = true;
  };
  const container = createContainer(...modulesOf(settings, nodeId, sinks, [watch, winstonObserver(logger)]));
  const server = container.get<Server>(TOKENS.Server);
  const stop = onStopSignal();
  const forget = onAbort(stop.signal, () => {
    logger.info("stopping", { drainMs });
    void server.close({ drainMs });
  });
  try {
    const [address] = await server.start().catch((error: unknown) => {
      if (stop.signal.aborted) return [];
      throw wasOpen ? error : brokerFailure(error, maskBrokerUrl(broker));
    });
    if (address !== undefined) {
      const served = sinks.length === 0 ? "" : ` sinks=${sinks.map(({ name }) => name).join(",")}`;
      const place = `listen=${address} broker=${maskBrokerUrl(broker)}`;
      process.stdout.write(`fairlead ready ${place} pid=${process.pid} node=${nodeId}${served}\n`);
    }
    const cause = await server.closed;
    if (cause !== undefined && !stop.signal.aborted) throw cause;
    return EXIT_CODE.ok;
  } finally {
    forget();
    stop.dispose();
    await container.unbindAllAsync();
  }
}

const EVENT_KEYS = [
  "queue",
  "ackTimeoutMs",
  "maxEventBytes",
  "creditPerSubscriber",
  "maxCreditPerSubscriber",
  "lossesPerStep",
  "subscribeIntervalMs",
  "ackForwardIntervalMs",
  "ackForwardTimeoutMs",
  "closeForwardTimeoutMs",
  "postIdMemoryMs",
  "doneMemoryMs",
  "deliver",
  "postTimeoutMs",
  "settleTimeoutMs",
  "endTimeoutMs",
] as const;

const SQLITE_KEYS = ["historyMs", "maxHistoryMessages", "maxHistoryBytes"] as const;

const GRPC_KEYS = [
  "listen",
  "maxRequestBytes",
  "maxUploadBytes",
  "maxUploadBytesPerClient",
  "maxCallsPerClient",
  "keepaliveTimeMs",
  "keepaliveTimeoutMs",
  "maxReceiveBytes",
  "maxStreamsPerConnection",
  "maxConnections",
  "maxConnectionsPerAddress",
  "handshakeTimeoutMs",
  "maxHeaderBytes",
  "messageTimeoutMs",
  "maxUnfinishedBytesPerAddress",
  "maxOpenCallsPerClient",
  "maxSubscribersPerClient",
  "maxCallsPerSecond",
  "callBurst",
  "maxPostsPerSecond",
  "postBurst",
  "maxConnectionIdleMs",
  "maxConnectionAgeMs",
  "maxConnectionAgeGraceMs",
  "recycleConnections",
  "refusalDelayMs",
  "shutdownGraceMs",
] as const;

function modulesOf(
  settings: ServeSettings,
  nodeId: NodeId,
  sinks: readonly ServedSink[],
  observers: readonly Observer[],
): Parameters<typeof createContainer> {
  const { broker, queueType, connectTimeoutMs, retrySchedule: retryScheduleMs, remoteSinks } = settings;
  const events = { ...pick(settings, EVENT_KEYS), retryScheduleMs };
  const names = sinks.map(({ name }) => name);
  const signature = { [SERVED_BY.node]: nodeId, [SERVED_BY.pid]: String(process.pid) };
  return [
    brokerModule(broker, { rabbitmq: { queueType }, sqlite: pick(settings, SQLITE_KEYS) }),
    messagingModule({ observers, nodeId, connectTimeoutMs, events }),
    grpcModule({ ...pick(settings, GRPC_KEYS), ...serverSecurity(settings), sinks: gatewaySinks(names, remoteSinks) }),
    sinkModule(sinks.map(({ sink, ...served }) => ({ ...served, sink: signedSink(sink, signature) }))),
  ];
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>;
}
