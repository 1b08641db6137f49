import { fileURLToPath } from "node:url";
import { call } from "../../../src/index.js";
import { startProgram } from "../../process/child-program.js";
import { waitUntil } from "../../process/wait-until.js";
import type { FuzzResult } from "../fuzz/grpc-fuzzer.js";
import { combineOutcomes, Ledger } from "../ledger/ledger.js";
import { startPacer } from "../loads/pacer.js";
import type { GrpcFuzzerTask } from "../programs/grpc-fuzzer.js";
import { WORK, type Work } from "../programs/work.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { EventStage } from "../stage/event-stage.js";
import { MemoryWatch, megabytes } from "../stage/memory-watch.js";
import { gatewayWorkSink, WORK_SINK_FILE } from "../stage/work-sinks.js";

const FUZZER = fileURLToPath(new URL("../programs/grpc-fuzzer.js", import.meta.url));
const FUZZ_MS = 200_000;
const FLOWING_MS = 20_000;
const QUIET_MS = 10_000;
/** Of the server, when nobody holds anything any more. */
const MOST_GROWTH_BYTES = 8_000_000;

async function run(round: FaultRound): Promise<FaultOutcome> {
  const calls = round.isShort ? 1_000 : 10_000;
  const memory = new MemoryWatch();
  const flags = ["--sink", WORK_SINK_FILE, "--remote-sinks", WORK];
  const stage = await EventStage.open(round, { flags, onLine: (line) => memory.read(line), hasOthers: true });
  const [server] = stage.servers;
  if (server === undefined) throw new Error("there is no server");
  await stage.startSubscriber();
  const poster = stage.startPoster(50, "healthy-");
  const requests = startRequests(round, server.address);
  await waitUntil(() => stage.ledger.handled > 20 && requests.ledger.handled > 5, {
    what: "healthy traffic",
    timeoutMs: FLOWING_MS,
  });

  const pid = server.pid ?? 0;
  await fuzz(round, server.address, Math.ceil(calls / 5));
  if (server.deaths.length > 0) throw new Error(server.deaths.join("; "));
  const before = await settledMemory(memory, pid);
  const { statuses, stuck, unclear } = await fuzz(round, server.address, calls);
  if (server.deaths.length > 0) throw new Error(server.deaths.join("; "));
  const after = await settledMemory(memory, pid);

  const violations: string[] = [];
  const grown = after.heldBytes - before.heldBytes;
  if (grown > MOST_GROWTH_BYTES) violations.push(`the server's memory grew by ${megabytes(grown)} MB`);
  if (server.pid !== pid) violations.push("the server died");
  violations.push(...stuck.slice(0, 5), ...unclear.map((text) => `refused without a text: ${text}`).slice(0, 5));
  const seen = stage.ledger.handled;
  await waitUntil(() => stage.ledger.handled > seen + 20, { what: "events to flow on", timeoutMs: FLOWING_MS });
  await poster.finish();
  const own = await requests.finish();
  const answers = Object.entries(statuses)
    .sort(([, a], [, b]) => b - a)
    .map(([status, count]) => `${count} x ${status}`);
  const held = `held ${megabytes(before.heldBytes)} -> ${megabytes(after.heldBytes)} MB`;
  const notes = [`${calls} calls: ${answers.join(", ")}`, `${held}, rss ${megabytes(after.rssBytes)} MB`];
  // Nonsense that makes sense is posted, and may be refused by whoever gets it: that is not counted here.
  await stage.ledger.settled(FLOWING_MS);
  await stage.ledger.arrived(FLOWING_MS);
  violations.push(...server.deaths);
  return combineOutcomes({ events: stage.ledger.outcome({ violations, notes }), requests: own });
}

/** In a process of its own: what it does to itself is not the server's doing. */
async function fuzz(round: FaultRound, address: string, calls: number): Promise<FuzzResult> {
  const task: GrpcFuzzerTask = { address, calls, seed: Math.floor(round.random() * 2 ** 32) };
  const program = startProgram(FUZZER, [JSON.stringify(task)], { guardDirectory: round.guardDirectory });
  round.atEnd(async () => void (await program.kill()));
  const [text] = await program.line(/^\{.*\}$/, FUZZ_MS);
  return JSON.parse(text) as FuzzResult;
}

/** Until it sinks no more. */
async function settledMemory(memory: MemoryWatch, pid: number): Promise<{ heldBytes: number; rssBytes: number }> {
  let last = await memory.ask(pid);
  const isSettled = async (): Promise<boolean> => {
    const next = await memory.ask(pid);
    const sinks = last.heldBytes - next.heldBytes > 500_000;
    last = next;
    return !sinks;
  };
  await waitUntil(isSettled, { what: "its memory to settle", timeoutMs: QUIET_MS, intervalMs: 300 }).catch(() => {});
  return last;
}

function startRequests(
  round: FaultRound,
  address: string,
): { readonly ledger: Ledger; finish(): Promise<FaultOutcome> } {
  const sink = gatewayWorkSink(round, address);
  const ledger = new Ledger();
  const violations: string[] = [];
  const pacer = startPacer({ perSecond: 30, most: 100 }, async () => {
    const number = ledger.send();
    try {
      const body: Work = { number, ms: 5, responses: 2, bytes: 100, isQuiet: true };
      let responses = 0;
      for await (const _response of call(sink, { body }, { timeoutMs: 20_000 })) responses += 1;
      if (responses !== 2) violations.push(`call ${number} ended with ${responses} responses`);
      ledger.confirm(number);
      ledger.handle(number);
    } catch (error) {
      ledger.fail(number);
      violations.push(`call ${number} failed: ${String(error)}`);
    }
  });
  round.atEnd(() => pacer.stop());
  return {
    ledger,
    async finish() {
      pacer.stop();
      await ledger.settled(25_000);
      return ledger.outcome({ violations: violations.slice(0, 5) });
    },
  };
}

const scenario = { id: "K10", title: "gRPC calls of nonsense", limitMs: 300_000, run } as const;

/** Clear errors, no crash, no stuck call, flat memory, and healthy traffic beside it unaffected. */
export const fuzzedGateway: readonly FaultScenario[] = [
  { ...scenario, adapters: ["memory"] },
  { ...scenario, adapters: ["sqlite", "rabbitmq"], isSlow: true },
];
