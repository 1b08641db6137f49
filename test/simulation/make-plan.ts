import type { Priority } from "../../src/ports/message.js";
import {
  BRIDGE,
  type CallPlan,
  type ClientPlan,
  type FaultKind,
  type FaultPlan,
  type HandlerPlan,
  type Plan,
  type ReaderPlan,
  type ServerPlan,
} from "./plan.js";
import { SeededRandom } from "./seeded-random.js";
import type { Weather } from "./weather.js";

const PRIORITIES: readonly Priority[] = ["expedite", "standard", "bulk"];

/** What goes wrong in a run. Each profile leaves something whole, so that more can be promised about its calls. */
interface Profile {
  readonly name: string;
  readonly share: number;
  readonly hasBadBroadcasts: boolean;
  /** What may happen to clients and to servers; named twice, it happens twice as often. */
  readonly clients: readonly FaultKind[];
  readonly servers: readonly FaultKind[];
  readonly maxFaults: number;
}

const CLIENT_LINKS: readonly FaultKind[] = [
  "lose-connection",
  "lose-connection",
  "lose-connection",
  "lose-inbox",
  "freeze",
  "block-broker",
];
const SERVER_LINKS: readonly FaultKind[] = [
  "lose-connection",
  "lose-connection",
  "lose-inbox",
  "lose-consumer",
  "lose-subscription",
  "freeze",
];
const ENDS: readonly FaultKind[] = ["kill", "close"];

const PROFILES: readonly Profile[] = [
  { name: "calm", share: 20, hasBadBroadcasts: false, clients: [], servers: [], maxFaults: 0 },
  { name: "lossy", share: 20, hasBadBroadcasts: true, clients: [], servers: ["lose-subscription"], maxFaults: 2 },
  { name: "redelivering", share: 10, hasBadBroadcasts: true, clients: [], servers: ["lose-consumer"], maxFaults: 3 },
  { name: "links", share: 30, hasBadBroadcasts: true, clients: CLIENT_LINKS, servers: SERVER_LINKS, maxFaults: 4 },
  { name: "deaths", share: 15, hasBadBroadcasts: false, clients: ENDS, servers: ENDS, maxFaults: 4 },
  {
    name: "storm",
    share: 5,
    hasBadBroadcasts: true,
    clients: [...CLIENT_LINKS, ...ENDS],
    servers: [...SERVER_LINKS, ...ENDS],
    maxFaults: 10,
  },
];

/** When the last fault begins at the latest. */
export const FAULTS_END_MS = 12_000;

export function makePlan(seed: number): Plan {
  const random = new SeededRandom(seed, "plan");
  const profile = pickProfile(random);
  const weather = makeWeather(random, profile);
  const servers = list(random.pick([1, 1, 2, 2, 3]), () => makeServer(random, weather));
  const clients = list(random.pick([1, 1, 2, 3]), () => makeClient(random));
  const instants = list(random.int(1, 4), () => random.int(0, 6_000));
  const names = list(random.int(1, 3), (index) => `name-${index}`);
  const largest = random.pick([200, 1_000, 4_000]);
  const isBridged = random.chance(0.15);
  const sinks = !isBridged && random.chance(0.3) ? ["work", "chores"] : ["work"];
  const calls = list(random.int(1, random.pick([3, 6, 12])), (number) => {
    const client = random.int(0, clients.length - 1);
    return makeCall(random, { number, client, instants, names, sinks: isBridged ? [BRIDGE] : sinks, largest });
  });
  const faults = makeFaults(random, profile, { servers: servers.length, calls, weather });
  return { seed, profile: profile.name, weather, sinks, isBridged, servers, clients, calls, faults };
}

function pickProfile(random: SeededRandom): Profile {
  let left = random.int(0, PROFILES.reduce((sum, { share }) => sum + share, 0) - 1);
  for (const profile of PROFILES) {
    left -= profile.share;
    if (left < 0) return profile;
  }
  throw new Error("no profile");
}

function makeWeather(random: SeededRandom, { hasBadBroadcasts }: Profile): Weather {
  const maxLatencyMs = random.pick([0, 1, 5, 20, 100, 400]);
  const rate = (): number => (hasBadBroadcasts ? random.pick([0, 0.1, 0.3, 0.5]) : 0);
  return {
    minLatencyMs: random.int(0, maxLatencyMs),
    maxLatencyMs,
    loseBroadcast: rate(),
    repeatBroadcast: rate(),
    delayBroadcast: rate(),
    maxDelayMs: random.pick([10, 500, 2_000]),
    shuffledPlaces: random.pick([0, 0, 8, 64]),
    socketFrames: random.pick([1, 4, 64]),
  };
}

function makeServer(random: SeededRandom, { maxLatencyMs }: Weather): ServerPlan {
  return {
    protocolVersion: random.chance(0.15) ? "V4" : "V5",
    concurrency: { expedite: random.int(1, 2), standard: random.int(1, 5), bulk: random.int(1, 3) },
    // Two hops that both take their time are no silence yet: three intervals have to be longer.
    keepAliveMs: random.pick([maxLatencyMs > 100 ? 1_000 : 200, 1_000, 1_000, 2_000]),
    stallMs: random.pick([1_000, 5_000, 300_000]),
    settleAfterMs: random.pick([2_000, 600_000, 600_000]),
    fragmentBytes: random.pick([100, 500, 100_000]),
  };
}

function makeClient(random: SeededRandom): ClientPlan {
  return {
    protocolVersion: random.pick(["auto", "auto", "auto", "V5", "V4"] as const),
    fragmentBytes: random.pick([100, 500, 100_000]),
  };
}

interface Surroundings {
  readonly number: number;
  readonly client: number;
  readonly instants: readonly number[];
  readonly names: readonly string[];
  readonly sinks: readonly string[];
  readonly largest: number;
}

function makeCall(random: SeededRandom, surroundings: Surroundings): CallPlan {
  const { number, client, instants, names, sinks, largest } = surroundings;
  const kind = random.pick(["stream", "stream", "stream", "stream", "one", "one-way"] as const);
  const handler = makeHandler(random, largest, kind);
  const isGenerous = handler.ending !== "hang" && random.chance(0.8);
  const reader = kind === "stream" ? makeReader(random, handler) : EAGER;
  return {
    number,
    client,
    kind,
    sink: random.pick(sinks),
    startMs: random.pick(instants) + (random.chance(0.5) ? 0 : random.int(0, 300)),
    callId: random.chance(0.4) ? random.pick(names) : undefined,
    timeoutMs: isGenerous && reader.kind !== "stop" ? random.int(120_000, 240_000) : random.int(300, 6_000),
    isGenerous: isGenerous && reader.kind !== "stop",
    window: handler.responses >= FLOOD.responses ? undefined : random.pick([undefined, 1, 2, 3, random.int(4, 20)]),
    windowBytes: random.chance(0.3) ? random.int(1, largest * 3) : undefined,
    stallMs: random.pick(reader.kind === "stop" ? [1_000, 5_000] : [1_000, 5_000, 300_000]),
    priority: random.pick(PRIORITIES),
    idempotent: random.chance(0.4),
    allowKeepAlive: random.chance(0.8),
    requestBytes: random.chance(0.3) ? random.int(0, largest) : random.int(0, 40),
    handler,
    reader,
    abort:
      random.chance(0.2) && kind === "stream"
        ? { afterMs: random.chance(0.3) ? 0 : random.int(0, 3_000), by: random.pick(["signal", "stream"] as const) }
        : undefined,
    isWatched: random.chance(0.5),
  };
}

const FLOOD: HandlerPlan = {
  responses: 2_500,
  maxResponseBytes: 0,
  maxPauseMs: 0,
  style: "generator",
  keepAliveMs: undefined,
  ending: "end",
  failsWith: "INTERNAL",
};

const EAGER: ReaderPlan = { kind: "eager", after: 0, maxPauseMs: 0 };

function makeHandler(random: SeededRandom, largest: number, kind: CallPlan["kind"]): HandlerPlan {
  // More than a V4 client may hold.
  if (kind === "stream" && random.chance(0.004)) return { ...FLOOD, ending: random.pick(["end", "throw"] as const) };
  const many = random.pick([0, 1, 2, 5, 12, 40]);
  const responses = kind === "one" ? random.pick([1, 1, 1, 1, 0, 2]) : random.int(0, many);
  return {
    responses,
    maxResponseBytes: random.chance(0.5) ? 20 : largest,
    maxPauseMs: random.pick([0, 0, 10, 200, random.chance(0.2) ? 4_000 : 50]),
    style: random.pick(["generator", "generator", "context", "unawaited"] as const),
    keepAliveMs: random.chance(0.2) ? random.int(1, 20_000) : undefined,
    ending: random.pick(["end", "end", "end", "end", "end", "late", "throw", "throw-at-once", "fail", "hang"] as const),
    failsWith: random.pick(["NOT_FOUND", "REJECTED", "INTERNAL"] as const),
  };
}

function makeReader(random: SeededRandom, { responses }: HandlerPlan): ReaderPlan {
  // Slowly, so many would take hours.
  if (responses >= FLOOD.responses)
    return { kind: random.pick(["eager", "pause", "leave"]), after: 1, maxPauseMs: 2_000 };
  return {
    kind: random.pick(["eager", "eager", "eager", "slow", "batch", "pause", "stop", "leave"] as const),
    after: random.int(1, Math.max(1, responses)),
    maxPauseMs: random.pick([5, 200, 2_000]),
  };
}

interface Targets {
  readonly servers: number;
  readonly calls: readonly CallPlan[];
  readonly weather: Weather;
}

function makeFaults(random: SeededRandom, profile: Profile, { servers, calls, weather }: Targets): FaultPlan[] {
  if (profile.maxFaults === 0) return [];
  const faults = list(random.int(1, profile.maxFaults), (): FaultPlan => {
    const isServer = profile.clients.length === 0 || random.chance(0.55);
    // While a request is on its way, or soon after; or at any time.
    const call = random.pick(calls);
    const isNear = random.chance(0.6);
    return {
      atMs: isNear
        ? call.startMs + random.int(0, 50 + 8 * weather.maxLatencyMs)
        : random.int(0, random.pick([1_000, 7_000, FAULTS_END_MS])),
      kind: random.pick(isServer ? profile.servers : profile.clients),
      target: isServer ? { role: "server", index: random.int(0, servers - 1) } : { role: "client", index: call.client },
      durationMs: random.pick([0, 100, 1_000, 5_000]),
      noticedAfterMs: random.pick([0, 0, 50, 1_500]),
      drainMs: random.pick([0, 500, 60_000]),
    };
  });
  return faults.sort((one, other) => one.atMs - other.atMs);
}

function list<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
