import { listOf } from "./list-of.js";
import { inPatience, inStreams, makeCall } from "./make-call.js";
import { makeFaults } from "./make-faults.js";
import { makeWeather } from "./make-weather.js";
import { BRIDGE, type ClientPlan, type Plan, type ServerPlan } from "./plan.js";
import { pickProfile } from "./profiles.js";
import { SeededRandom } from "./seeded-random.js";
import type { Weather } from "./weather.js";

/** The same plan for the same seed. */
export function makePlan(seed: number): Plan {
  const random = new SeededRandom(seed, "plan");
  const profile = pickProfile(random);
  const weather = makeWeather(random, profile);
  const servers = listOf(random.pick(profile.isPatient ? [1, 1, 2] : [1, 1, 2, 2, 3]), () =>
    makeServer(random, weather),
  );
  const clients = listOf(random.pick([1, 1, 2, 3]), () => makeClient(random));
  const instants = listOf(random.int(1, 4), () => random.int(0, 6_000));
  const names = listOf(random.int(1, 3), (index) => `name-${index}`);
  const largest = random.pick([200, 1_000, 4_000]);
  const isBridged = random.chance(0.15);
  const sinks = !isBridged && random.chance(0.3) ? ["work", "chores"] : ["work"];
  const calls = listOf(random.int(1, random.pick([3, 6, 12])), (number) => {
    const client = random.int(0, clients.length - 1);
    const call = makeCall(random, { number, client, instants, names, sinks: isBridged ? [BRIDGE] : sinks, largest });
    if (profile.isStreaming && random.chance(0.8)) return inStreams(random, call);
    return profile.isPatient ? inPatience(random, call) : call;
  });
  const faults = makeFaults(random, profile, { servers: servers.length, calls, weather });
  return { seed, profile: profile.name, weather, sinks, isBridged, servers, clients, calls, faults };
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
    resumeMs: random.pick([undefined, undefined, 3_000]),
    maxRetainedBytes: random.pick([undefined, undefined, undefined, undefined, 300]),
  };
}

function makeClient(random: SeededRandom): ClientPlan {
  return {
    protocolVersion: random.pick(["auto", "auto", "auto", "V5", "V4"] as const),
    fragmentBytes: random.pick([100, 500, 100_000]),
  };
}
