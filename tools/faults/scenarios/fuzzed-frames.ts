import { fileURLToPath } from "node:url";
import { startProgram } from "../../process/child-program.js";
import { combineOutcomes } from "../ledger/ledger.js";
import type { FrameFuzzerTask } from "../programs/frame-fuzzer.js";
import { brokerOf } from "../round/broker-of.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";

const FUZZER = fileURLToPath(new URL("../programs/frame-fuzzer.js", import.meta.url));
const LIMIT_MS = 240_000;

async function run(round: FaultRound): Promise<FaultOutcome> {
  const frames = round.isShort ? 1_000 : 10_000;
  const seed = Math.floor(round.random() * 2 ** 32);
  const task: FrameFuzzerTask = { broker: await brokerOf(round), frames, seed };
  const { guardDirectory } = round;
  const program = startProgram(FUZZER, [JSON.stringify(task)], { guardDirectory });
  round.atEnd(async () => void (await program.kill()));
  const [text] = await program.line(/^\{.*\}$/, LIMIT_MS);
  const { exitCode, signal } = await program.ended;
  const outcome = combineOutcomes(JSON.parse(text) as Record<string, FaultOutcome>);
  const violations = [...outcome.violations];
  if (exitCode !== 0) violations.push(`the process ended with ${exitCode ?? signal}`);
  return { ...outcome, violations, notes: [`${frames} frames`, ...outcome.notes] };
}

const scenario = { id: "K10", title: "frames and messages of nonsense", limitMs: LIMIT_MS + 30_000, run } as const;

/** Clear errors, no crash, no stuck call, flat memory, and healthy traffic beside it unaffected. */
export const fuzzed: readonly FaultScenario[] = [
  { ...scenario, adapters: ["memory"] },
  { ...scenario, adapters: ["sqlite", "rabbitmq"], isSlow: true },
];
