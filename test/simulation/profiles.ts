import type { FaultKind } from "./plan.js";
import type { SeededRandom } from "./seeded-random.js";

/** What goes wrong in a run. Each profile leaves something whole, so that more can be promised about its calls. */
export interface Profile {
  readonly name: string;
  readonly share: number;
  readonly hasBadBroadcasts: boolean;
  /** What may happen to clients and to servers; named twice, it happens twice as often. */
  readonly clients: readonly FaultKind[];
  readonly servers: readonly FaultKind[];
  readonly maxFaults: number;
  /** Handlers take their time, so that their servers break before and between responses. */
  readonly isPatient?: boolean;
  /** Calls go on for seconds, in many responses: what is lost is lost in the middle. */
  readonly isStreaming?: boolean;
  /** Clients come back again and again while what they said before is still on its way. */
  readonly isErratic?: boolean;
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
const CLIENT_LOSSES: readonly FaultKind[] = [
  "lose-inbox",
  "lose-inbox",
  "lose-connection",
  "lose-frames",
  "lose-frames",
];

const PROFILES: readonly Profile[] = [
  { name: "calm", share: 20, hasBadBroadcasts: false, clients: [], servers: [], maxFaults: 0 },
  {
    name: "lossy",
    share: 20,
    hasBadBroadcasts: true,
    clients: ["lose-frames"],
    servers: ["lose-subscription"],
    maxFaults: 2,
  },
  {
    name: "resuming",
    share: 20,
    hasBadBroadcasts: true,
    clients: CLIENT_LOSSES,
    servers: ["lose-connection", "lose-connection", "lose-subscription"],
    maxFaults: 6,
    isStreaming: true,
  },
  {
    name: "returning",
    share: 25,
    hasBadBroadcasts: true,
    clients: ["lose-inbox", "lose-inbox", "lose-frames"],
    servers: [],
    maxFaults: 5,
    isStreaming: true,
    isErratic: true,
  },
  { name: "redelivering", share: 10, hasBadBroadcasts: true, clients: [], servers: ["lose-consumer"], maxFaults: 3 },
  { name: "links", share: 30, hasBadBroadcasts: true, clients: CLIENT_LINKS, servers: SERVER_LINKS, maxFaults: 4 },
  { name: "deaths", share: 15, hasBadBroadcasts: false, clients: ENDS, servers: ENDS, maxFaults: 4 },
  {
    name: "patient",
    share: 15,
    hasBadBroadcasts: false,
    clients: ["lose-inbox"],
    servers: ["kill", "kill", "lose-connection"],
    maxFaults: 2,
    isPatient: true,
  },
  {
    name: "storm",
    share: 5,
    hasBadBroadcasts: true,
    clients: [...CLIENT_LINKS, ...ENDS],
    servers: [...SERVER_LINKS, ...ENDS],
    maxFaults: 10,
  },
];

export function pickProfile(random: SeededRandom): Profile {
  let left = random.int(0, PROFILES.reduce((sum, { share }) => sum + share, 0) - 1);
  for (const profile of PROFILES) {
    left -= profile.share;
    if (left < 0) return profile;
  }
  throw new Error("no profile");
}
