import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { until } from "./node.js";

const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));

export interface Worker {
  readonly pid: number;
  readonly lines: readonly string[];
  /** By SIGKILL. */
  kill(): Promise<void>;
  ended(): Promise<void>;
}

/** Starts a process of its own on a file. It is killed when the test is over. */
export async function startWorker(mode: "hold" | "work" | "fill" | "start", file: string, amount = 0): Promise<Worker> {
  const child: ChildProcess = spawn(process.execPath, [WORKER, mode, file, String(amount)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error("the worker does not start");
  const lines: string[] = [];
  const reader = createInterface({ input: stdout });
  reader.on("line", (line) => lines.push(line));
  const over = Promise.all([once(child, "exit"), once(reader, "close")]);
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await over;
  };
  onTestFinished(kill);
  if (mode === "hold" || mode === "work") await until(() => lines.includes("ready"));
  return {
    pid,
    lines,
    kill,
    async ended() {
      await over;
    },
  };
}
