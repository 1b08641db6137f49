import type { Profile } from "./profiles.js";
import type { SeededRandom } from "./seeded-random.js";
import type { Weather } from "./weather.js";

export function makeWeather(random: SeededRandom, profile: Profile): Weather {
  if (profile.isErratic) return makeErraticWeather(random);
  const { hasBadBroadcasts } = profile;
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

/** What is on its way to a lost inbox, or asks for answers in it, arrives when there is another. */
function makeErraticWeather(random: SeededRandom): Weather {
  const maxLatencyMs = random.pick([20, 100, 200, 400]);
  return {
    minLatencyMs: random.int(0, maxLatencyMs),
    maxLatencyMs,
    loseBroadcast: random.pick([0, 0, 0.1, 0.3]),
    repeatBroadcast: random.pick([0.1, 0.3, 0.5]),
    delayBroadcast: random.pick([0.1, 0.3, 0.5]),
    maxDelayMs: random.pick([500, 2_000, 2_000]),
    shuffledPlaces: random.pick([0, 0, 8, 64]),
    socketFrames: random.pick([1, 4, 64]),
  };
}
