import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, it } from "vitest";
import { Stopwatch } from "../../../src/contract/stopwatch.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it("counts waiting", async () => {
  const watch = new Stopwatch();
  // Time in which the machine did something else comes on top.
  while (watch.undisturbedMs < 200) await sleep(10);
  expect(watch.ms).toBeGreaterThanOrEqual(watch.undisturbedMs);
});

it("counts the process's own work", () => {
  const watch = new Stopwatch();
  const { user, system } = process.cpuUsage();
  const workedMs = (): number => {
    const used = process.cpuUsage();
    return (used.user + used.system - user - system) / 1_000;
  };
  while (workedMs() < 300);
  expect(watch.undisturbedMs).toBeGreaterThanOrEqual(295);
});

it("leaves out what the process was kept from running", async () => {
  const watch = new Stopwatch();
  await sleep(50);
  const stopper = spawn("sh", ["-c", `kill -STOP ${process.pid}; sleep 1; kill -CONT ${process.pid}`]);
  const [code] = await once(stopper, "exit");
  expect(code).toBe(0);
  expect(watch.ms).toBeGreaterThan(1_000);
  expect(watch.ms - watch.undisturbedMs).toBeGreaterThan(800);
});
