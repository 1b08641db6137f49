import { listOf } from "./list-of.js";
import type { CallPlan, FaultPlan } from "./plan.js";
import type { Profile } from "./profiles.js";
import type { SeededRandom } from "./seeded-random.js";
import type { Weather } from "./weather.js";

/** When the last fault begins at the latest. */
export const FAULTS_END_MS = 12_000;

export interface Targets {
  readonly servers: number;
  readonly calls: readonly CallPlan[];
  readonly weather: Weather;
}

export function makeFaults(random: SeededRandom, profile: Profile, { servers, calls, weather }: Targets): FaultPlan[] {
  if (profile.maxFaults === 0) return [];
  const faults = listOf(random.int(1, profile.maxFaults), (): FaultPlan => {
    const isServer =
      profile.clients.length === 0 || (profile.servers.length > 0 && random.chance(profile.isStreaming ? 0.3 : 0.55));
    // While a request is on its way, or soon after; or at any time.
    const call = random.pick(calls);
    const isNear = random.chance(profile.isStreaming ? 0.9 : 0.6);
    const soonMs = profile.isPatient || profile.isStreaming ? 5_000 : 50 + 8 * weather.maxLatencyMs;
    return {
      atMs: isNear ? call.startMs + random.int(0, soonMs) : random.int(0, random.pick([1_000, 7_000, FAULTS_END_MS])),
      kind: random.pick(isServer ? profile.servers : profile.clients),
      target: isServer ? { role: "server", index: random.int(0, servers - 1) } : { role: "client", index: call.client },
      durationMs: random.pick(profile.isStreaming ? [0, 0, 100, 1_000, 5_000] : [0, 100, 1_000, 5_000]),
      spared: random.int(0, 4),
      lost: random.pick([1, 1, 1, 2]),
      isStubborn: random.chance(0.15),
      noticedAfterMs: random.pick(profile.isPatient ? [0, 1_500] : [0, 0, 50, 1_500]),
      drainMs: random.pick([0, 500, 60_000]),
    };
  });
  if (profile.isStreaming) {
    const share = profile.isErratic ? 0.8 : 0.4;
    faults.push(...faults.filter(isClientLoss).flatMap((fault) => againSoon(random, fault, share)));
  }
  return faults.sort((one, other) => one.atMs - other.atMs);
}

function isClientLoss({ kind }: FaultPlan): boolean {
  return kind === "lose-inbox" || kind === "lose-connection";
}

/** While the first is being got over. */
function againSoon(random: SeededRandom, fault: FaultPlan, share: number): FaultPlan[] {
  if (fault.target.role === "server" || !random.chance(share)) return [];
  const atMs = fault.atMs + fault.noticedAfterMs + random.int(20, random.pick([200, 1_500]));
  return [{ ...fault, atMs, kind: "lose-inbox", noticedAfterMs: random.pick([0, 0, 50]) }];
}
