#!/usr/bin/env node
import { Command, Option } from "commander";
import { checkBrokerUrl, maskBrokerUrl } from "../../src/container/index.js";
import { BadInput, runProgram } from "../program/run-program.js";
import { type RabbitmqNode, startRabbitmq } from "../rabbitmq/index.js";
import { type MemoryOrder, type MemoryResult, measureMemory } from "./measure-memory.js";

const SLOW_READER_MB = 40;
const IDLE_CALLS_MB = 100;

interface Flags {
  readonly items: number;
  readonly calls: number;
  readonly broker?: string;
}

const count = (flag: string, help: string, byDefault: number): Option =>
  new Option(`--${flag} <n>`, help).default(byDefault).argParser((text) => (/^\d+$/.test(text) ? Number(text) : NaN));

const command = new Command("npm run memory")
  .usage("[-- options]")
  .description("Measures how the memory of client and server grows: one call with a slow reader, and many idle calls.")
  .allowExcessArguments(false)
  .addOption(count("items", "of 1 KiB, read at one a millisecond; 0 leaves this out", 100_000))
  .addOption(count("calls", "that idle at once; 0 leaves this out", 10_000))
  .option("--broker <url>", "only this broker: memory: or amqp://… (default: memory:, and a private RabbitMQ)");

await runProgram(command, async () => {
  const { items, calls, broker } = readFlags(command.opts());
  let node: RabbitmqNode | undefined;
  let isWithin = true;
  try {
    const brokers = broker === undefined ? ["memory:", "private"] : [broker];
    for (const one of brokers) {
      if (one === "private") node = await startRabbitmq();
      const url = node?.url ?? one;
      if (items > 0) {
        const slowReader = { items, bytes: 1_024, readerMs: 1 };
        const order = { broker: url, slowReader, idleCalls: 0, timeoutMs: 60_000 + items * 10 };
        isWithin = (await report(`slow reader, ${items} x 1 KiB`, order, SLOW_READER_MB)) && isWithin;
      }
      if (calls > 0) {
        const order = { broker: url, idleCalls: calls, timeoutMs: 300_000 };
        isWithin = (await report(`${calls} idle calls`, order, IDLE_CALLS_MB)) && isWithin;
      }
    }
  } finally {
    await node?.stop();
  }
  return isWithin ? 0 : 1;
});

function readFlags(flags: Flags): Flags {
  const faults: string[] = [];
  for (const [flag, value] of Object.entries({ items: flags.items, calls: flags.calls })) {
    if (!(value >= 0 && value <= 10_000_000)) faults.push(`--${flag} must be a whole number from 0 to 10000000`);
  }
  if (flags.calls > 60_000) faults.push("--calls must be at most 60000: a RabbitMQ consumer holds no more");
  try {
    if (flags.broker !== undefined) checkBrokerUrl(flags.broker);
  } catch (error) {
    faults.push(`--broker: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return flags;
}

async function report(what: string, order: MemoryOrder, boundMb: number): Promise<boolean> {
  const result = await measureMemory(order);
  const growthMb = megabytes(result.growthBytes);
  const isWithin = growthMb <= boundMb;
  const verdict = `+${growthMb} MB (at most ${boundMb}) ${isWithin ? "ok" : "TOO MUCH"}`;
  process.stdout.write(`${maskBrokerUrl(order.broker)}  ${what}: ${verdict}  ${detailsOf(order, result)}\n`);
  return isWithin;
}

function detailsOf({ broker }: MemoryOrder, { client, server, seconds }: MemoryResult): string {
  const one = (name: string, { baseBytes, peakBytes, heapBytes, externalBytes }: MemoryResult["client"]): string =>
    `${name} ${megabytes(baseBytes)} -> ${megabytes(peakBytes)} MB (heap ${megabytes(heapBytes)}, external ${megabytes(externalBytes)})`;
  const parts = broker === "memory:" ? [one("both", client)] : [one("client", client), one("server", server)];
  return `[${parts.join("; ")}; ${seconds.toFixed(1)} s]`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 100_000) / 10;
}
