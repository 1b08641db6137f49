import { type MemoryBroker, memoryBroker } from "../../adapters/memory/index.js";
import { requestTables } from "../../src/core/request/tables.js";
import { deferred } from "../../src/util/deferred.js";
import { Books } from "./books.js";
import { Cast } from "./cast.js";
import { violationsIn } from "./invariants.js";
import type { Entry, Violation } from "./journal.js";
import { FAULTS_END_MS } from "./make-faults.js";
import { makePlan } from "./make-plan.js";
import { BRIDGE, type CallPlan, type Plan } from "./plan.js";
import { RESPONSE_EXTENDS_MS } from "./reader-model.js";
import { SeededRandom } from "./seeded-random.js";
import { DEFAULT_RESUME_MS } from "./simulated-server.js";
import { Trace } from "./trace.js";
import { World, WorldStuck } from "./world.js";

export interface RunResult {
  readonly plan: Plan;
  readonly violations: readonly Violation[];
  readonly entries: readonly Entry[];
  readonly trace: Trace;
  readonly happenings: number;
  readonly elapsedMs: number;
}

/** More than any run needs: beyond it, something goes round in circles. */
const MAX_HAPPENINGS = 400_000;
/** By when the last call has ended, deadlines and stalls included. */
const HORIZON_MS = 900_000;
/** Faults that last have passed by then. */
const HEALED_MS = FAULTS_END_MS + 7_000;
/** How long a table may take to empty. */
const QUIET_MS = 5_000;
/** How often it is looked at what servers keep, and for how long. */
const LOOK_MS = 100;
const LOOKS_END_MS = 30_000;
/** Until callers who have stopped reading have run into their deadlines. */
const STOPPED_MS = 90_000;
/** How likely a lost abort may be lost again and again. */
const UNLIKELY = 1e-7;
/** A broken subscription or connection included. */
const SLOW_ABORT_MS = 12_000;
const LAST_DRAIN_MS = 1_000;
const CLOSED_MS = 120_000;

/** One run, from a seed to its violations. The same seed gives the same run, byte for byte. */
export async function runSeed(seed: number, plan = makePlan(seed)): Promise<RunResult> {
  const { shuffledPlaces } = plan.weather;
  const ties = new SeededRandom(seed, "ties");
  const world = new World(MAX_HAPPENINGS, shuffledPlaces === 0 ? undefined : () => ties.int(0, shuffledPlaces));
  const trace = new Trace(world);
  const books = new Books(world, plan.weather.maxLatencyMs);
  const broker = memoryBroker({
    clock: { now: () => world.now, setTimer: (ms, action) => world.after(ms, action) },
    random: new SeededRandom(seed, "broker"),
    schedule: world.schedule,
  });
  const release = deferred<void>();
  const cast = new Cast({ plan, world, broker, trace, books }, release.promise);
  const stray: Violation[] = [];
  const onStray = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    stray.push({ invariant: "S-10", atMs: world.elapsedMs, text: `a rejection that nobody handles: ${text}` });
  };
  process.on("unhandledRejection", onStray);
  try {
    await play({ plan, world, books, cast, queue: () => queued(broker, plan), release: () => release.resolve() });
  } catch (error) {
    const text = error instanceof WorldStuck ? error.message : String(error instanceof Error ? error.stack : error);
    stray.push({ invariant: "S-01", atMs: world.elapsedMs, text });
  } finally {
    process.off("unhandledRejection", onStray);
  }
  const violations = [...stray, ...violationsIn(books.entries)];
  return { plan, violations, entries: books.entries, trace, happenings: world.happenings, elapsedMs: world.elapsedMs };
}

function* queued(broker: MemoryBroker, { sinks }: Plan): Iterable<readonly [string, number]> {
  for (const sink of [...sinks, BRIDGE]) {
    for (const lane of ["expedite", "standard", "bulk"]) {
      const { ready = 0, unsettled = 0 } = broker.count(`${sink}.${lane}`) ?? {};
      yield [`queue ${sink}.${lane}`, ready + unsettled];
    }
  }
}

interface Scene {
  readonly plan: Plan;
  readonly world: World;
  readonly books: Books;
  readonly cast: Cast;
  /** What is in the queues for requests. */
  queue(): Iterable<readonly [name: string, count: number]>;
  release(): void;
}

async function play({ plan, world, books, cast, queue, release }: Scene): Promise<void> {
  cast.startAll();
  for (const call of plan.calls) {
    world.after(call.startMs, () => void cast.client(call.client)?.call(call));
  }
  const look = (): void => {
    noteRetained(books, cast);
    if (world.elapsedMs < LOOKS_END_MS) world.after(LOOK_MS, look);
  };
  if (plan.servers.some(({ maxRetainedBytes }) => maxRetainedBytes !== undefined)) look();
  for (const fault of plan.faults) world.after(fault.atMs, () => cast.apply(fault));
  world.after(HEALED_MS, () => cast.heal());
  const lastMs = plan.faults.length === 0 ? 0 : HEALED_MS;
  const startedMs = Math.max(lastMs, ...plan.calls.map(({ startMs }) => startMs));
  const isQuiet = (): boolean => !books.hasOneWay && world.elapsedMs >= books.lastChangeMs + quietMs;
  // Healthy callers say at once that they have all; of others the end is kept for as long as it may be asked for.
  const quietMs = QUIET_MS + (plan.faults.length === 0 ? 0 : patienceMs(plan));

  await world.run(() => world.elapsedMs > HORIZON_MS || (world.elapsedMs > startedMs && books.readCount === 0));
  const ended = world.elapsedMs + (books.liveCount === 0 ? 0 : STOPPED_MS) + healingMs(plan);
  await world.run(() => world.elapsedMs > HORIZON_MS || (world.elapsedMs >= ended && isQuiet()));
  noteLeft(books, cast, queue);

  release();
  let isClosed = false;
  world.after(1, () => void cast.closeAll(LAST_DRAIN_MS).then(() => (isClosed = true)));
  const closedBy = world.elapsedMs + CLOSED_MS;
  await world.run(() => world.elapsedMs > closedBy);
  for (const { name, clock, isDead } of cast.processes) {
    if (!isDead && clock.pending > 0)
      books.note({ type: "left", process: name, table: "timers", count: clock.pending });
  }
  if (!isClosed) books.note({ type: "unsettled", process: "all", promise: "close" });
  const dead = new Set(cast.processes.filter(({ isDead }) => isDead).map(({ name }) => name));
  books.noteUnsettled((process) => !dead.has(process));
}

/**
 * How long a lost abort keeps a call alive at its server. It is repeated with each Alive, and lost as often as all broadcasts,
 * at each hop; a server without flow control says nothing, so that only its deadline is left.
 */
function healingMs(plan: Plan): number {
  const { clients, servers, calls, faults, weather, isBridged, profile } = plan;
  if (profile === "calm") return 0;
  const hasV4 = [...clients, ...servers].some(({ protocolVersion }) => protocolVersion === "V4");
  const { loseBroadcast, maxDelayMs, maxLatencyMs } = weather;
  const repeats = loseBroadcast === 0 ? 2 : Math.ceil(Math.log(UNLIKELY) / Math.log(loseBroadcast));
  const intervalMs = Math.max(1_000, ...servers.map(({ keepAliveMs }) => keepAliveMs));
  const abortMs = repeats * intervalMs + maxDelayMs + 4 * maxLatencyMs + (faults.length > 0 ? SLOW_ABORT_MS : 0);
  const deadlineMs = hasV4 ? Math.max(...calls.map(mostLeftMs)) : 0;
  const goneMs = faults.length === 0 ? 0 : patienceMs(plan);
  return (isBridged ? 2 : 1) * Math.max(abortMs + goneMs, deadlineMs);
}

/** No deadline is ever further away. */
function mostLeftMs({ timeoutMs, handler, allowKeepAlive }: CallPlan): number {
  return allowKeepAlive ? Math.max(timeoutMs, handler.keepAliveMs ?? 0, RESPONSE_EXTENDS_MS) : timeoutMs;
}

/** How long servers wait for callers whose inbox is gone. */
function patienceMs({ servers }: Plan): number {
  return Math.max(...servers.map(({ resumeMs }) => resumeMs ?? DEFAULT_RESUME_MS));
}

function noteRetained(books: Books, cast: Cast): void {
  for (const { process, maxRetainedBytes } of cast.servers) {
    if (!process.isUp || maxRetainedBytes === undefined) continue;
    const { retainedBytes: bytes = 0 } = requestTables(process.messaging);
    books.note({ type: "retained", process: process.name, bytes, maxBytes: maxRetainedBytes });
  }
}

function noteLeft(books: Books, cast: Cast, queued: () => Iterable<readonly [string, number]>): void {
  if (books.runningCount > 0) {
    books.note({ type: "left", process: "all", table: "handlers that were not told", count: books.runningCount });
  }
  for (const [queue, count] of queued()) {
    if (count > 0) books.note({ type: "left", process: "broker", table: queue, count });
  }
  for (const { name, messaging, isDead, isClosed } of cast.processes) {
    if (isDead || isClosed) continue;
    for (const [table, count] of Object.entries(requestTables(messaging))) {
      // A loan of capacity stays until its slot is needed.
      if (count > 0 && table !== "loans") books.note({ type: "left", process: name, table, count });
    }
  }
}
