import { setTimeout as delay } from "node:timers/promises";
import { maskBrokerUrl } from "../../src/container/index.js";
import { freePorts } from "../process/free-ports.js";
import { createProcessGuard } from "../process/process-guard.js";
import type { ServeProcess } from "../process/serve-process.js";
import { waitUntil } from "../process/wait-until.js";
import { CrashLoad, type LoadOutcome } from "./crash-load.js";
import type { CrashOptions } from "./crash-options.js";
import { ACK_TIMEOUT_MS, createCrashServer, LONGEST_RETRY_MS } from "./crash-server.js";
import { queueDepth } from "./queue-depth.js";
import { seededRandom } from "./seeded-random.js";
import { notTold, type StuckEvents, toStuckEvents } from "./stuck-events.js";
import { sweep } from "./sweep.js";

export interface CrashOutcome {
  readonly kills: number;
  readonly load: LoadOutcome | undefined;
  /** Received a second time after the load had gone. */
  readonly swept: number;
  /** Undefined for a run that did not get so far. */
  readonly stuck: StuckEvents | undefined;
  /** What servers died of that nobody killed. */
  readonly deaths: readonly string[];
  readonly failure: string | undefined;
  readonly seconds: number;
}

const FLOWING_MS = 60_000;
/** Then the next kill comes all the same. */
const FLOWING_AGAIN_MS = 15_000;
/** Until a kill, once events flow. */
const MOST_MS = 2_000;
const FINISH_MS = 900_000;
/** For `--events`: at this pace at least, whatever the rate. */
const EVENTS_MS = 3_600_000;
/** After the last kill, so that the last restart is part of it. */
const AFTERMATH_MS = 2_000;
/** Beyond the time-out of what was handed out. */
const SWEEP_MS = 2_000;
/** One kill in so many strikes a server that is still starting. */
const EARLY_KILL = 0.25;

/** Runs it all with processes of its own, and leaves none behind. */
export async function crash(
  options: CrashOptions,
  say: (line: string) => void,
  stopped: AbortSignal,
): Promise<CrashOutcome> {
  const startedAt = Date.now();
  const guard = createProcessGuard("crash");
  const broker = options.broker ?? `sqlite:${guard.directory}/events.db`;
  const ports = await freePorts(options.servers);
  const servers = ports.map((port, index) => {
    return createCrashServer({ name: `server ${index + 1}`, port, broker, guardDirectory: guard.directory });
  });
  const addresses = servers.map(({ address }) => address);
  const state: { kills: number; load?: LoadOutcome; swept: number; stuck?: StuckEvents; failure?: string } = {
    kills: 0,
    swept: 0,
  };
  const deaths: string[] = [];
  let load: CrashLoad | undefined;
  const work = async (): Promise<void> => {
    say(`broker ${maskBrokerUrl(broker)}, ${options.kills} kills, --seed ${options.seed}`);
    for (const server of servers) server.launch();
    await Promise.all(
      servers.map(async (server) => {
        await server.ready();
        say(`${server.name} is ready at ${server.address} pid=${server.pid}`);
      }),
    );
    const first = addresses[0] ?? "";
    const before = await queueDepth(first);
    load = new CrashLoad(addresses, options, guard.directory);
    say(`the load runs pid=${load.pid}`);
    await load.flows(FLOWING_MS);
    const random = seededRandom(options.seed);
    while (state.kills < options.kills && !stopped.aborted) {
      const server = await killOne(servers, load, random, stopped);
      state.kills += 1;
      const now = `${server?.name} again pid=${server?.pid}`;
      say(`kill ${state.kills} of ${options.kills}, ${now}; ${load.lastLine.replace(/^fairlead load: /, "")}`);
    }
    await Promise.all(servers.map((server) => server.ready()));
    await waitFor(AFTERMATH_MS, stopped);
    const { events = 0 } = options;
    const isPosted = (): boolean => stopped.aborted || (load?.posted ?? 0) >= events;
    await waitUntil(isPosted, { what: `${events} events to be posted`, timeoutMs: EVENTS_MS });
    if (stopped.aborted) return;
    state.load = await within(FINISH_MS, "the load to end", load.finish());
    say("all is received; asking for what is left in the queue");
    // What the broker does not tell of would come in this time.
    const isBlind = notTold(await queueDepth(first)).length > 0;
    const quietMs = ACK_TIMEOUT_MS + SWEEP_MS + (isBlind ? LONGEST_RETRY_MS : 0);
    state.swept = await sweep(addresses, quietMs);
    state.stuck = toStuckEvents(before, await queueDepth(first), quietMs);
  };
  try {
    await untilStopped(work(), stopped);
  } catch (error) {
    state.failure = error instanceof Error ? error.message : String(error);
  } finally {
    deaths.push(...servers.flatMap((server) => server.deaths));
    await Promise.allSettled([load?.kill(), ...servers.map((server) => server.end())]);
    await guard.release();
  }
  const { kills, swept, stuck, failure } = state;
  return { kills, load: state.load, swept, stuck, deaths, failure, seconds: (Date.now() - startedAt) / 1_000 };
}

/** At a random moment, and starts it again after another. */
async function killOne(
  servers: readonly ServeProcess[],
  load: CrashLoad,
  random: () => number,
  stopped: AbortSignal,
): Promise<ServeProcess | undefined> {
  const server = servers[Math.floor(random() * servers.length)];
  const [isEarly, before, between] = [random() < EARLY_KILL, random(), random()];
  // Early: most likely while it reads what the last kill left.
  if (!isEarly) {
    await server?.ready();
    const { received } = load;
    const flows = (): boolean => stopped.aborted || load.received > received;
    await waitUntil(flows, { what: "events to flow", timeoutMs: FLOWING_AGAIN_MS }).catch(() => {});
  }
  await waitFor(before * MOST_MS, stopped);
  await server?.kill();
  await waitFor(between * 500, stopped);
  if (!stopped.aborted) server?.launch();
  return server;
}

async function waitFor(ms: number, stopped: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal: stopped }).catch(() => {});
}

async function within<T>(timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(timeoutMs, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new Error(`waited ${timeoutMs} ms for ${what}`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    over.abort();
  }
}

/** What goes on behind a stop fails by what is taken from it. */
async function untilStopped(work: Promise<void>, stopped: AbortSignal): Promise<void> {
  work.catch(() => {});
  const over = new AbortController();
  const stop = new Promise<never>((_, reject) => {
    const refuse = (): void => reject(new Error("stopped by a signal"));
    if (stopped.aborted) refuse();
    stopped.addEventListener("abort", refuse, { signal: over.signal });
  });
  try {
    await Promise.race([work, stop]);
  } finally {
    over.abort();
  }
}
