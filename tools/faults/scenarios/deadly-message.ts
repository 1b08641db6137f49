import { fileURLToPath } from "node:url";
import { DEAD_REASON_HEADER } from "../../../src/driver/index.js";
import { createMessaging, type InspectedMessage } from "../../../src/index.js";
import { type ChildProgram, startProgram } from "../../process/child-program.js";
import { waitUntil } from "../../process/wait-until.js";
import { Ledger } from "../ledger/ledger.js";
import type { ConsumerTask } from "../programs/consumer.js";
import { DEADLY } from "../programs/deadly.js";
import { brokerOf } from "../round/broker-of.js";
import { driverOf } from "../round/driver-of.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";

const CONSUMER = fileURLToPath(new URL("../programs/consumer.js", import.meta.url));
const QUEUE = "faults-deadly";
const CONCURRENCY = 3;
const CONSUMING_MS = 20_000;
const MOST_MS = 60_000;

/** A message that kills each process that handles it, among messages that are well. */
async function run(round: FaultRound): Promise<FaultOutcome> {
  const { isShort } = round;
  // Below 4 there is no room to tell who is to blame.
  const maxDeliveries = isShort ? 4 : 6;
  const healthy = 100;
  const broker = await brokerOf(round);
  const ledger = new Ledger();
  // A file has one process at a time: what is published there is published before anybody consumes.
  const publisher = createMessaging({ driver: driverOf(broker) });
  round.atEnd(() => publisher.close({ drainMs: 0 }));
  for (let index = 0; index < healthy; index += 1) {
    const number = ledger.send();
    await publisher.queue(QUEUE).publish({ body: Buffer.from(ledger.tokenOf(number)) });
    ledger.confirm(number);
    if (index === 10) await publisher.queue(QUEUE).publish({ body: Buffer.from(`${DEADLY} one`) });
  }
  if (round.adapter === "sqlite") await publisher.close();

  let deaths = 0;
  let isDone = false;
  let program: ChildProgram | undefined;
  const task: ConsumerTask = { broker, queue: QUEUE, concurrency: CONCURRENCY, maxDeliveries, handleMs: 20 };
  const onLine = (line: string): void => {
    const number = line.startsWith("got ") ? ledger.numberOf(line.slice("got ".length)) : undefined;
    if (number !== undefined) ledger.handle(number);
    if (line.startsWith(DEADLY)) deaths += 1;
  };
  const keepRunning = async (): Promise<void> => {
    while (!isDone && !round.stopped.aborted && deaths <= 2 * maxDeliveries) {
      program = startProgram(CONSUMER, [JSON.stringify(task)], { guardDirectory: round.guardDirectory, onLine });
      await program.ended;
    }
  };
  round.atEnd(async () => {
    isDone = true;
    await program?.kill();
  });
  const running = keepRunning();
  await ledger.arrived(MOST_MS);
  await waitUntil(() => deaths >= maxDeliveries, { what: "the last death", timeoutMs: CONSUMING_MS }).catch(() => {});
  await program?.line(/^consuming$/, CONSUMING_MS).catch(() => {});
  // One more try would be made now.
  await settlesDown(ledger);
  isDone = true;
  await program?.end();
  await running;

  const reader = createMessaging({ driver: driverOf(broker) });
  round.atEnd(() => reader.close({ drainMs: 0 }));
  const dead: readonly InspectedMessage[] = (await reader.inspection?.browse(`${QUEUE}.dead`, { limit: 100 })) ?? [];
  const { ready } = (await reader.inspection?.counts(QUEUE)) ?? { ready: 0 };
  const violations: string[] = [];
  const reasons = dead.map(({ headers }) => headers[DEAD_REASON_HEADER]);
  const bodies = dead.map(({ body }) => Buffer.from(body).toString("utf8"));
  if (deaths !== maxDeliveries) violations.push(`it killed ${deaths} processes, not ${maxDeliveries}`);
  if (!bodies.includes(`${DEADLY} one`)) violations.push("it is not among the dead letters");
  if (bodies.length > 1) violations.push(`${bodies.length - 1} messages that are well were given up, too`);
  if (reasons.some((reason) => reason !== "crash-loop")) violations.push(`the reasons are ${reasons.join(", ")}`);
  return ledger.outcome({ stuck: ready, violations, notes: [`${deaths} processes killed`] });
}

/** Resolves when nothing has come for a moment. */
async function settlesDown(ledger: Ledger): Promise<void> {
  const isQuiet = (): boolean => performance.now() - ledger.handledAt > 500;
  await waitUntil(isQuiet, { what: "quiet", timeoutMs: CONSUMING_MS });
}

/** An event that kills each subscriber to which it is handed, among events that are well. */
async function runEvents(round: FaultRound): Promise<FaultOutcome> {
  const lossesPerStep = 2;
  const steps = 2;
  const schedule = Array.from({ length: steps }, () => "300ms").join(",");
  const flags = ["--losses-per-step", String(lossesPerStep), "--retry-schedule", schedule];
  const stage = await EventStage.open(round, { flags });
  const prefix = "deadly-";
  const subscribers = await Promise.all([
    stage.startSubscriber({ deadlyPrefix: prefix }),
    stage.startSubscriber({ deadlyPrefix: prefix }),
  ]);
  let isDone = false;
  const revive = setInterval(() => {
    for (const subscriber of subscribers) if (!isDone && !subscriber.isRunning) subscriber.launch();
  }, 20);
  round.atEnd(() => clearInterval(revive));
  const poster = stage.startPoster(50, "well-");
  await waitUntil(() => stage.ledger.handled > 20, { what: "events to flow", timeoutMs: CONSUMING_MS });
  await stage.postOne(`${prefix}1`);
  const expected = lossesPerStep * (steps + 1);
  const number = stage.numberOf(`${prefix}1`);
  const deaths = (): number => subscribers.reduce((sum, subscriber) => sum + subscriber.deaths, 0);
  const isDead = async (): Promise<boolean> => (await stage.left()).deadLetters > 0;
  await waitUntil(() => deaths() >= expected, {
    what: () => `${expected} deaths; ${deaths()} came`,
    timeoutMs: MOST_MS,
  });
  await poster.finish();
  await stage.ledger.arrived(CONSUMING_MS);
  await waitUntil(isDead, { what: "the dead letter", timeoutMs: CONSUMING_MS }).catch(() => {});
  isDone = true;
  const violations: string[] = [];
  if (deaths() !== expected) violations.push(`it killed ${deaths()} subscribers, not ${expected}`);
  if (stage.ledger.timesHandled(number) !== expected)
    violations.push(`it was handed out ${stage.ledger.timesHandled(number)} times`);
  return stage.finish({ violations, deadLetters: 1, notes: [`${deaths()} subscribers killed`] });
}

/** Bounded losses, then a dead letter that says "crash-loop"; others are handled. */
export const deadlyMessage: readonly FaultScenario[] = [
  { id: "K9", title: "a handler that kills its process", adapters: ["sqlite"], limitMs: 120_000, run },
  { id: "K9", title: "a handler that kills its process", adapters: ["rabbitmq"], limitMs: 120_000, isSlow: true, run },
  {
    id: "K9",
    title: "an event that kills its subscribers",
    adapters: ["memory", "sqlite", "rabbitmq"],
    limitMs: 120_000,
    isSlow: true,
    run: runEvents,
  },
];
