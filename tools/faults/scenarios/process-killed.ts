import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "../../process/wait-until.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { killSeen } from "../stage/kill-seen.js";

interface Victim {
  readonly name: string;
  readonly process: { readonly pid: number | undefined; kill(): Promise<void> };
  back(): Promise<void>;
}

const FLOWING_MS = 20_000;
/** Until a kill, once events flow; and from there until it is started again. */
const BEFORE_MS = 900;
const BETWEEN_MS = 300;

async function run(round: FaultRound): Promise<FaultOutcome> {
  const { adapter, isShort } = round;
  const stage = await EventStage.open(round, { servers: adapter === "rabbitmq" ? 2 : 1 });
  const { ledger } = stage;
  const subscribers = await Promise.all([
    stage.startSubscriber({ handleMs: 5 }),
    stage.startSubscriber({ handleMs: 5 }),
  ]);
  const poster = stage.startPoster(isShort ? 100 : 200);
  const victims: Victim[] = [
    { name: "the poster", process: poster, back: async () => poster.launch() },
    ...subscribers.map((subscriber, index) => ({
      name: `subscriber ${index + 1}`,
      process: subscriber,
      back: async () => subscriber.launch(),
    })),
  ];
  // What memory holds dies with its process.
  const servers = adapter === "memory" ? [] : stage.servers;
  for (const server of servers) {
    const back = async (): Promise<void> => {
      server.launch();
      await server.ready();
    };
    victims.push({ name: server.name, process: server, back });
  }
  const kills = isShort ? victims.slice(1) : [...victims, ...victims, ...victims].slice(0, 10);
  const violations: string[] = [];
  for (const victim of shuffled(kills, round.random)) {
    await flows(() => ledger.handled);
    await delay(round.random() * (isShort ? BEFORE_MS / 3 : BEFORE_MS), undefined, { signal: round.stopped });
    violations.push(...(await killSeen(victim.name, victim.process)));
    await delay(round.random() * BETWEEN_MS, undefined, { signal: round.stopped });
    await victim.back();
  }
  await flows(() => ledger.handled);
  await poster.finish();
  return stage.finish({ violations, notes: [`${kills.length} killed: ${kills.map(({ name }) => name).join(", ")}`] });
}

/** In case of doubt the next kill comes all the same: something else may be what everybody waits for. */
async function flows(count: () => number): Promise<void> {
  const before = count();
  await waitUntil(() => count() > before + 5, { what: "events to flow", timeoutMs: FLOWING_MS }).catch(() => {});
}

function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

const scenario = { id: "K6", title: "posters, subscribers and servers killed", limitMs: 120_000, run } as const;

/** No event whose post returned OK is lost or stuck. */
export const processKilled: readonly FaultScenario[] = [
  { ...scenario, adapters: ["sqlite"] },
  { ...scenario, adapters: ["memory", "rabbitmq"], isSlow: true },
];
