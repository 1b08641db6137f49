import { setTimeout as delay } from "node:timers/promises";
import { call } from "../../../src/index.js";
import { queueDepth } from "../../crash/queue-depth.js";
import type { ServeProcess } from "../../process/serve-process.js";
import { waitUntil } from "../../process/wait-until.js";
import { combineOutcomes, Ledger } from "../ledger/ledger.js";
import { startPacer } from "../loads/pacer.js";
import type { Work } from "../programs/work.js";
import { brokerOf } from "../round/broker-of.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { directWorkSink, gatewayWorkSink, WORK_SINK_FILE } from "../stage/work-sinks.js";

const DRAIN_MS = 8_000;
/** What a process needs to go at once, on a busy machine; what it waits for comes later. */
const AT_ONCE_MS = 5_000;
/** Longer than a server that is signalled twice has any time to live: what it waits for does not come back before. */
const ACK_TIMEOUT_MS = 6_000;
/** A second signal that comes sooner is taken for the first one. */
const SECOND_MS = 500;
const FLOWING_MS = 20_000;
/** How long a handler takes: at the signal many events are out. */
const HANDLE_MS = 200;
const RESPONSES = 3;

async function run(round: FaultRound): Promise<FaultOutcome> {
  const { adapter, isShort } = round;
  const times = ["--drain-ms", String(DRAIN_MS), "--ack-timeout-ms", String(ACK_TIMEOUT_MS)];
  const flags = [...times, "--sink", WORK_SINK_FILE];
  const taken = new Set<number>();
  const onLine = (line: string): void => {
    const number = /^took (\d+)$/.exec(line)?.[1];
    if (number !== undefined) taken.add(Number(number));
  };
  const stage = await EventStage.open(round, { servers: adapter === "rabbitmq" ? 2 : 1, flags, onLine });
  const { ledger, servers } = stage;
  const [server] = servers;
  if (server === undefined) throw new Error("there is no server");
  await Promise.all([stage.startSubscriber({ handleMs: HANDLE_MS }), stage.startSubscriber({ handleMs: HANDLE_MS })]);
  const calls = await startCalls(round, server.address, taken);
  const poster = stage.startPoster(50);
  const violations: string[] = [];
  const notes: string[] = [];

  const cycles = isShort ? 1 : 3;
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const before = ledger.handled;
    await waitUntil(() => ledger.handled > before + 10, { what: "events to flow", timeoutMs: FLOWING_MS });
    await calls.flow();
    await delay(round.random() * 500);
    if (adapter === "memory") {
      // What nobody has been handed dies with its process, so there must be none of it.
      await poster.finish();
      await waitUntil(async () => (await queueDepth(server.address)).ready === 0, {
        what: "all to be out",
        timeoutMs: FLOWING_MS,
      });
    }
    calls.signalled();
    const startedAt = performance.now();
    server.signal("SIGTERM");
    const end = await server.ended();
    const ms = Math.round(performance.now() - startedAt);
    const how = end?.exitCode ?? end?.signal;
    if (how !== 0) violations.push(`the drained server ended with ${how}: ${server.lines.slice(-3).join(" / ")}`);
    if (ms > DRAIN_MS) violations.push(`it took ${ms} ms with a drain of ${DRAIN_MS} ms`);
    notes.push(`drained in ${ms} ms`);
    const { missing } = ledger;
    // The others see to what is out; on memory there are none.
    if (adapter === "memory" && !(await ledger.arrived(5_000))) violations.push(`${missing} events were cut off`);
    server.launch();
    await server.ready();
    if (adapter === "memory") poster.launch();
  }
  // An acknowledgement that was later than its time-out, on a busy machine.
  notes.push(`${ledger.duplicates} came again`);
  const requests = await calls.finish();
  if (adapter !== "memory") notes.push(await signalTwice(stage, server, violations));
  await poster.finish();
  const events = await stage.finish({ violations, notes });
  return combineOutcomes({ events, requests });
}

/** With events out that nobody acknowledges: the drain would take long, and a second signal ends it. */
async function signalTwice(stage: EventStage, server: ServeProcess, violations: string[]): Promise<string> {
  const slow = await stage.startSubscriber({ handleMs: 60_000, servers: [server.address] });
  await waitUntil(() => slow.taken > 5, { what: "events to be out", timeoutMs: FLOWING_MS });
  server.signal("SIGTERM");
  await delay(SECOND_MS);
  const [secondAt, lostBefore] = [performance.now(), lostMs()];
  // A server that has not come to see the first one yet, on a busy machine, takes the next for the same.
  const again = setInterval(() => server.signal("SIGTERM"), SECOND_MS);
  server.signal("SIGTERM");
  const end = await server.ended().finally(() => clearInterval(again));
  const ms = Math.round(performance.now() - secondAt - excusedMs(lostBefore));
  const how = end?.exitCode ?? end?.signal;
  if (how !== 130) violations.push(`after a second signal it ended with ${how}, not 130`);
  if (ms > AT_ONCE_MS) violations.push(`after a second signal it took ${ms} ms`);
  await slow.kill();
  server.launch();
  await server.ready();
  return `gone ${ms} ms after a second signal`;
}

interface Calls {
  /** Resolves when some have been answered. */
  flow(): Promise<void>;
  /** The server is about to be told. */
  signalled(): void;
  finish(): Promise<FaultOutcome>;
}

/** Calls at an even pace. Those that a server has said to have when it is told to stop are to end well. */
async function startCalls(round: FaultRound, address: string, taken: ReadonlySet<number>): Promise<Calls> {
  const isDirect = round.adapter === "rabbitmq";
  const sink = isDirect ? directWorkSink(round, await brokerOf(round)) : gatewayWorkSink(round, address);
  const ledger = new Ledger();
  const violations: string[] = [];
  const running = new Set<number>();
  let promised = new Set<number>();
  const pacer = startPacer({ perSecond: 30, most: 200 }, async () => {
    const number = ledger.send();
    running.add(number);
    let responses = 0;
    try {
      const body: Work = { number, ms: 50 + round.random() * 350, responses: RESPONSES, bytes: 100 };
      for await (const _response of call(sink, { body }, { timeoutMs: 30_000 })) responses += 1;
      ledger.confirm(number);
      ledger.handle(number);
      if (responses !== RESPONSES) violations.push(`call ${number} ended well with ${responses} responses`);
    } catch (error) {
      ledger.fail(number);
      // Another server takes what this one does not; a gateway that stops refuses what is new.
      const text = error instanceof Error ? error.message : String(error);
      if (isDirect || promised.has(number))
        violations.push(`call ${number} failed after ${responses} responses: ${text}`);
    }
    running.delete(number);
  });
  round.atEnd(() => pacer.stop());
  return {
    async flow() {
      const before = ledger.handled;
      await waitUntil(() => ledger.handled > before + 10, { what: "calls to be answered", timeoutMs: FLOWING_MS });
    },
    signalled() {
      promised = new Set([...running].filter((number) => taken.has(number)));
    },
    async finish() {
      pacer.stop();
      await ledger.settled(35_000);
      const notes = ledger.failed > 0 ? [`${ledger.failed} calls refused`] : [];
      return ledger.outcome({ violations: violations.slice(0, 10), notes });
    },
  };
}

const scenario = { id: "K7", title: "SIGTERM under load, once and twice", limitMs: 120_000, run } as const;

/** It drains: nothing is dropped, and it is gone within its drain, with exit code 0; with 130 at a second signal. */
export const drained: readonly FaultScenario[] = [
  { ...scenario, adapters: ["sqlite"] },
  { ...scenario, adapters: ["memory", "rabbitmq"], isSlow: true },
];
