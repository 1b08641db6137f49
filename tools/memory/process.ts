// One process of a measurement. What it is to do comes as JSON; what it found goes to standard output as JSON.
import { memoryBroker, memoryDriver } from "../../adapters/memory/index.js";
import { rabbitmqDriver } from "../../adapters/rabbitmq/index.js";
import { createMessaging, type Messaging } from "../../src/index.js";
import { type ItemsOptions, type Measurement, measureIdleCalls, measureSlowReader } from "./measurements.js";
import { serveMemoryServices } from "./memory-services.js";

export interface MemoryTask {
  /** `both`: on a memory broker, in this process. */
  readonly role: "client" | "server" | "both";
  readonly broker: string;
  readonly slowReader?: ItemsOptions | undefined;
  readonly idleCalls: number;
}

const task = JSON.parse(process.argv[2] ?? "{}") as MemoryTask;
const broker = memoryBroker();
const connect = (): Messaging =>
  createMessaging({
    driver: task.broker === "memory:" ? memoryDriver({ broker }) : rabbitmqDriver({ url: task.broker }),
  });

if (task.role !== "client") {
  const server = connect();
  await serveMemoryServices(server, Math.max(1, task.idleCalls));
  process.stdout.write("serving\n");
  process.once("SIGTERM", () => void server.close({ drainMs: 1_000 }));
}
if (task.role !== "server") {
  const client = connect();
  const measurement: Measurement = await (task.slowReader === undefined
    ? measureIdleCalls(client, task.idleCalls)
    : measureSlowReader(client, task.slowReader));
  process.stdout.write(`${JSON.stringify(measurement)}\n`);
  await client.close({ drainMs: 1_000 });
  if (task.role === "both") process.exit();
}
