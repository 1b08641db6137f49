import { fileURLToPath } from "node:url";
import { type ChildProgram, startProgram } from "../process/child-program.js";
import { createProcessGuard } from "../process/process-guard.js";
import type { ItemsOptions, Measurement } from "./measurements.js";
import type { MemoryTask } from "./process.js";

const PROCESS = fileURLToPath(new URL("process.js", import.meta.url));
const START_MS = 30_000;

export interface MemoryOrder {
  /** `memory:`, or the URL of a RabbitMQ. */
  readonly broker: string;
  /** Measured if given; otherwise idle calls are. */
  readonly slowReader?: ItemsOptions | undefined;
  readonly idleCalls: number;
  readonly timeoutMs: number;
}

export interface MemoryResult extends Measurement {
  /** Of client and server together, each at its own peak. */
  readonly growthBytes: number;
}

/** Measures in processes of their own: one on memory, a client and a server elsewhere. */
export async function measureMemory(order: MemoryOrder): Promise<MemoryResult> {
  const guard = createProcessGuard("memory");
  const programs: ChildProgram[] = [];
  const start = (role: MemoryTask["role"]): ChildProgram => {
    const { broker, slowReader, idleCalls } = order;
    const task: MemoryTask = { role, broker, slowReader, idleCalls };
    const program = startProgram(PROCESS, [JSON.stringify(task)], { guardDirectory: guard.directory });
    programs.push(program);
    return program;
  };
  try {
    const isShared = order.broker === "memory:";
    if (!isShared) await start("server").line(/^serving$/, START_MS);
    const client = start(isShared ? "both" : "client");
    const [text] = await client.line(/^\{.*\}$/, order.timeoutMs);
    const measurement = JSON.parse(text) as Measurement;
    const { client: own, server } = measurement;
    const growthOf = ({ baseBytes, peakBytes }: Measurement["client"]): number => peakBytes - baseBytes;
    return {
      ...measurement,
      growthBytes: growthOf(own) + (isShared ? 0 : growthOf(server)),
    };
  } finally {
    await Promise.all(programs.map((program) => program.end(5_000)));
    await guard.release();
  }
}
