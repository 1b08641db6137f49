import { DEAD_ATTEMPTS_HEADER, DEAD_REASON_HEADER } from "../../../src/driver/index.js";
import { createMessaging, type InspectedMessage, type Messaging } from "../../../src/index.js";
import { waitUntil } from "../../process/wait-until.js";
import { Ledger } from "../ledger/ledger.js";
import { startPacer } from "../loads/pacer.js";
import { brokerOf } from "../round/broker-of.js";
import { driverOf } from "../round/driver-of.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";

const QUEUE = "faults-poison";
const MAX_ATTEMPTS = 3;
const REASON = "this one is never handled";
const DEAD_MS = 20_000;
const FLOWING_MS = 20_000;
/** Longer than any healthy message waits on a busy machine, and shorter than the retries of a poisonous one. */
const HELD_UP_MS = 4_000;
/** Of one gap, and less than what a retry would make of it. */
const MOST_EXCUSED_MS = 1_000;

/** Handlers that throw always, among messages that are well. */
async function run(round: FaultRound): Promise<FaultOutcome> {
  const { isShort } = round;
  const poisonous = isShort ? 3 : 20;
  const messaging = createMessaging({ driver: driverOf(await brokerOf(round)) });
  round.atEnd(() => messaging.close({ drainMs: 0 }));
  const queue = messaging.queue(QUEUE);
  const ledger = new Ledger();
  const attempts = new Map<string, number>();
  const lostBefore = lostMs();
  const consumer = await queue.consume(
    async ({ body }) => {
      const token = Buffer.from(body).toString("utf8");
      const number = ledger.numberOf(token);
      if (number !== undefined) return void ledger.handle(number);
      attempts.set(token, (attempts.get(token) ?? 0) + 1);
      throw new Error(REASON);
    },
    { concurrency: 8, maxAttempts: MAX_ATTEMPTS },
  );
  const pacer = startPacer({ perSecond: 100, most: 200 }, async () => {
    const number = ledger.send();
    try {
      await queue.publish({ body: Buffer.from(ledger.tokenOf(number)) });
      ledger.confirm(number);
    } catch {
      ledger.fail(number);
    }
  });
  round.atEnd(() => pacer.stop());
  await waitUntil(() => ledger.handled > 20, { what: "messages to flow", timeoutMs: 10_000 });
  for (let index = 0; index < poisonous; index += 1) await queue.publish({ body: Buffer.from(`poison ${index}`) });
  const dead = await deadLetters(messaging, poisonous);
  await waitUntil(() => ledger.handled > (isShort ? 100 : 300), { what: "messages to flow on", timeoutMs: FLOWING_MS });
  pacer.stop();
  await ledger.settled(FLOWING_MS);
  await ledger.arrived(FLOWING_MS);
  await consumer.close();

  const violations: string[] = [];
  const wrong = [...attempts].filter(([, count]) => count !== MAX_ATTEMPTS);
  if (attempts.size !== poisonous) violations.push(`${attempts.size} of ${poisonous} poisonous messages were tried`);
  if (wrong.length > 0) violations.push(`tried ${wrong[0]?.[1]} times, not ${MAX_ATTEMPTS}: ${wrong[0]?.[0]}`);
  violations.push(...faultsOf(dead, poisonous, REASON, String(MAX_ATTEMPTS)));
  const { ready } = (await messaging.inspection?.counts(QUEUE)) ?? { ready: 0 };
  const outcome = ledger.outcome({
    stuck: ready,
    violations,
    notes: [`${dead.length} dead letters, each tried ${MAX_ATTEMPTS} times`],
  });
  if (outcome.longestGapMs > HELD_UP_MS + excusedMs(lostBefore, lostMs(), MOST_EXCUSED_MS))
    violations.push(`others were held up for ${outcome.longestGapMs} ms`);
  return { ...outcome, violations };
}

/** Resolves with the dead letters once there are so many; with those that there are when that takes too long. */
async function deadLetters(messaging: Messaging, count: number): Promise<readonly InspectedMessage[]> {
  const { inspection } = messaging;
  if (inspection === undefined) throw new Error("nothing can be seen of this broker's queues");
  let dead: readonly InspectedMessage[] = [];
  const look = async (): Promise<boolean> => {
    dead = await inspection.browse(`${QUEUE}.dead`, { limit: 1_000 }).catch(() => []);
    return dead.length >= count;
  };
  await waitUntil(look, { what: `${count} dead letters`, timeoutMs: DEAD_MS, intervalMs: 100 }).catch(() => {});
  return dead;
}

function faultsOf(
  dead: readonly InspectedMessage[],
  count: number,
  reason: string,
  attempts: string,
): readonly string[] {
  const faults = dead.flatMap(({ headers }) => {
    const own = headers[DEAD_REASON_HEADER] ?? "";
    const tried = headers[DEAD_ATTEMPTS_HEADER];
    if (!own.includes(reason)) return [`a dead letter gives the reason "${own}", not "${reason}"`];
    return tried === attempts ? [] : [`a dead letter tells of ${tried} attempts, not ${attempts}`];
  });
  if (dead.length !== count) faults.push(`there are ${dead.length} dead letters, not ${count}`);
  return faults.slice(0, 5);
}

/** Bounded attempts, then a dead letter with the reason; others are not held up. */
export const poisonMessage: readonly FaultScenario[] = [
  {
    id: "K9",
    title: "a handler that throws always",
    adapters: ["memory", "sqlite", "rabbitmq"],
    sharesNode: true,
    limitMs: 120_000,
    run,
  },
];
