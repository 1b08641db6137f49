import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { call, MessagingError } from "../../../src/index.js";
import { startProgram } from "../../process/child-program.js";
import { freePorts } from "../../process/free-ports.js";
import { ServeProcess } from "../../process/serve-process.js";
import { waitUntil } from "../../process/wait-until.js";
import { Ledger } from "../ledger/ledger.js";
import { startPacer } from "../loads/pacer.js";
import type { RequestClientTask } from "../programs/request-client.js";
import type { Work } from "../programs/work.js";
import { brokerOf } from "../round/broker-of.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { killSeen } from "../stage/kill-seen.js";
import { WorkLog } from "../stage/work-log.js";
import { directWorkSink, gatewayWorkSink, WORK_SINK_FILE } from "../stage/work-sinks.js";

const CLIENT = fileURLToPath(new URL("../programs/request-client.js", import.meta.url));
/** How often a server says that its calls live. */
const ALIVE_MS = 1_000;
/** What a busy machine may add. */
const LATE_MS = 2_000;
const TOLD_MS = 3 * ALIVE_MS + LATE_MS;
/** A server waits so long for a client that may come back. */
const RESUME_MS = 10_000;
const TIMEOUT_MS = 30_000;
const RESPONSES = 3;

interface Failure {
  readonly number: number;
  readonly at: number;
  /** `lostMs()` then. */
  readonly lostMs: number;
  readonly responses: number;
  readonly error: unknown;
}

async function run(round: FaultRound): Promise<FaultOutcome> {
  const { adapter, isShort } = round;
  const broker = await brokerOf(round);
  // Where several processes reach the broker, the client does, too; elsewhere it goes through the server's gateway.
  const isDirect = adapter === "rabbitmq";
  const log = new WorkLog();
  const ports = await freePorts(isDirect ? 2 : 1);
  const servers = ports.map((port, index) => {
    const { guardDirectory } = round;
    const flags = ["--queue", "faults", "--log-level", "warn", "--sink", WORK_SINK_FILE];
    const onLine = (line: string): void => log.read(index, line);
    return new ServeProcess({ name: `server ${index + 1}`, port, broker, flags, guardDirectory, onLine });
  });
  round.atEnd(async () => void (await Promise.allSettled(servers.map((server) => server.kill()))));
  for (const server of servers) server.launch();
  await Promise.all(servers.map((server) => server.ready()));
  const [first] = servers;
  const sink = isDirect ? directWorkSink(round, broker) : gatewayWorkSink(round, first?.address ?? "");

  const ledger = new Ledger();
  const failures: Failure[] = [];
  const violations: string[] = [];
  const pacer = startPacer({ perSecond: isShort ? 40 : 80, most: 200 }, async () => {
    const number = ledger.send();
    const work: Work = { number, ms: 20 + round.random() * 250, responses: RESPONSES, bytes: 100 };
    let responses = 0;
    try {
      const options = { timeoutMs: TIMEOUT_MS, idempotent: isIdempotent(number) };
      for await (const { headers } of call(sink, { body: work }, options)) {
        if (headers?.["number"] !== String(number)) violations.push(`call ${number} got a response of another`);
        responses += 1;
      }
      ledger.confirm(number);
      ledger.handle(number);
      if (responses !== RESPONSES)
        violations.push(`call ${number} ended well with ${responses} of ${RESPONSES} responses`);
    } catch (error) {
      ledger.fail(number);
      failures.push({ number, at: performance.now(), lostMs: lostMs(), responses, error });
    }
  });
  round.atEnd(() => pacer.stop());

  const kills = isShort ? 1 : 5;
  for (let left = kills; left > 0; left -= 1) {
    const before = ledger.handled;
    await waitUntil(() => ledger.handled > before + 5, { what: "calls to be answered", timeoutMs: 20_000 });
    await delay(round.random() * 800, undefined, { signal: round.stopped });
    const index = Math.floor(round.random() * servers.length);
    const server = servers[index];
    if (server === undefined) break;
    // Others know of it before we have seen it.
    const kill = { server: index, at: performance.now(), lostMs: lostMs() };
    violations.push(...(await killSeen(server.name, server)));
    log.killed(kill);
    await delay(round.random() * 300, undefined, { signal: round.stopped });
    server.launch();
    await server.ready();
  }
  // Over the broker this takes longer than a short round.
  const goneMs =
    isDirect && isShort ? undefined : await killClient(round, isDirect ? { broker } : { address: first?.address }, log);
  const mostMs = isDirect ? RESUME_MS + TOLD_MS : TOLD_MS;
  if (goneMs !== undefined && goneMs > mostMs) violations.push(`the calls of a killed client ran on for ${goneMs} ms`);
  pacer.stop();
  await ledger.settled(TIMEOUT_MS + LATE_MS);
  violations.push(...log.violations, ...servers.flatMap(({ deaths }) => deaths));
  violations.push(...failures.flatMap((failure) => faultOf(failure, log, isDirect)).slice(0, 10));
  const told = failures.map(({ number, at }) => at - ((log.killOf(number) ?? log.lastKillBefore(at))?.at ?? at));
  if (failures.length + log.movedOn === 0) violations.push("no call was with a server when that was killed");
  const notes = [
    `${failures.length} failed, at most ${Math.round(Math.max(0, ...told))} ms after their server was killed`,
    `${log.movedOn} moved on`,
    ...(goneMs === undefined ? [] : [`the calls of a killed client were over in ${goneMs} ms`]),
  ];
  return ledger.outcome({ violations, notes });
}

const isIdempotent = (number: number): boolean => number % 2 === 0;

/** Whether this call should have failed, so, and so soon. */
function faultOf(
  { number, at, lostMs: lost, responses, error }: Failure,
  log: WorkLog,
  isDirect: boolean,
): readonly string[] {
  const what = `call ${number}, ${isIdempotent(number) ? "" : "not "}idempotent, with ${responses} responses`;
  const code = MessagingError.is(error) ? error.code : "no MessagingError";
  const text = error instanceof Error ? error.message : String(error);
  if (code !== "UNAVAILABLE") return [`${what} failed with ${code}: ${text}`];
  // One that did not say that it ran the call may have had it, or its responses, on the way all the same.
  const kill = log.killOf(number) ?? log.lastKillBefore(at);
  // A gateway that is not there refuses at once.
  if (kill === undefined || (!isDirect && log.killOf(number) === undefined)) {
    return isDirect ? [`${what} failed, though nobody had killed a server: ${text}`] : [];
  }
  if (isDirect && isIdempotent(number) && responses === 0) return [`${what} did not move on: ${text}`];
  const ms = Math.round(at - kill.at - excusedMs(kill.lostMs, lost));
  return ms > TOLD_MS ? [`${what} was told after ${ms} ms`] : [];
}

/** Resolves with how long the servers went on with the calls of a client that was killed. */
async function killClient(
  round: FaultRound,
  to: Pick<RequestClientTask, "broker" | "address">,
  log: WorkLog,
): Promise<number> {
  const first = 1_000_000;
  const calls = round.isShort ? 20 : 200;
  const work = { ms: 50, responses: 10_000, bytes: 100 };
  const task: RequestClientTask = { ...to, first, calls, work, timeoutMs: 60_000 };
  const client = startProgram(CLIENT, [JSON.stringify(task)], { guardDirectory: round.guardDirectory });
  round.atEnd(async () => void (await client.kill()));
  const numbers = Array.from({ length: calls }, (_, index) => first + index);
  const taken = (): number => numbers.filter((number) => log.isRunning(number)).length;
  const what = (): string => `${calls} calls of the client to run; ${taken()} do`;
  await waitUntil(() => taken() === calls, { what, timeoutMs: 40_000 });
  if ((await client.kill()).signal !== "SIGKILL") throw new Error("the client ended before it was killed");
  const [killedAt, lostBefore] = [performance.now(), lostMs()];
  const left = (): string => `the calls of a killed client to be over; ${taken()} are left`;
  await waitUntil(() => taken() === 0, { what: left, timeoutMs: 30_000 });
  return Math.round(performance.now() - killedAt - excusedMs(lostBefore));
}

const scenario = { id: "K6", title: "request servers and clients killed", limitMs: 120_000, run } as const;

/** Idempotent calls move on to another server, others fail within three intervals of Alive. */
export const requestProcessKilled: readonly FaultScenario[] = [
  { ...scenario, adapters: ["rabbitmq"], sharesNode: true },
  { ...scenario, adapters: ["memory", "sqlite"], isSlow: true },
];
