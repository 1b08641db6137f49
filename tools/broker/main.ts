#!/usr/bin/env node
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { runProgram } from "../program/run-program.js";
import { type RabbitmqNode, startRabbitmq } from "../rabbitmq/index.js";
import { recordBroker } from "./broker-record.js";

const LOOK_EVERY_MS = 200;

const program = new Command("npm run broker")
  .description(
    "Keeps a private RabbitMQ node on 127.0.0.1, with data of its own, until Ctrl-C. A node that dies is restarted.",
  )
  .allowExcessArguments(false);

await runProgram(program, async (stopped) => {
  // Until it is ready there is nothing to stop in order: what was started ends with this process.
  const endNow = (): void => process.exit(130);
  stopped.addEventListener("abort", endNow);
  const node = await startRabbitmq();
  stopped.removeEventListener("abort", endNow);
  try {
    const forget = recordBroker(node);
    try {
      process.stdout.write(`${node.url} pid=${node.pid}\n`);
      await keepAlive(node, stopped);
    } finally {
      forget();
    }
  } finally {
    await node.stop();
  }
  return 0;
});

async function keepAlive(node: RabbitmqNode, stopped: AbortSignal): Promise<void> {
  while (!stopped.aborted) {
    await delay(LOOK_EVERY_MS, undefined, { signal: stopped }).catch(() => {});
    if (stopped.aborted || (await node.running())) continue;
    process.stdout.write(`pid=${node.pid} is gone: starting it again with the same data\n`);
    await node.restart();
    process.stdout.write(`${node.url} pid=${node.pid}\n`);
  }
}
