// Consumes a queue and prints `got TOKEN` of each message. A deadly one kills this process. SIGTERM: drains and ends.
import { setTimeout as delay } from "node:timers/promises";
import { createMessaging } from "../../../src/index.js";
import { driverOf } from "../round/driver-of.js";
import { DEADLY } from "./deadly.js";

export interface ConsumerTask {
  readonly broker: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly maxDeliveries: number;
  readonly handleMs: number;
}

const { broker, queue, concurrency, maxDeliveries, handleMs } = JSON.parse(process.argv[2] ?? "{}") as ConsumerTask;
const messaging = createMessaging({ driver: driverOf(broker) });
await messaging.queue(queue).consume(
  async ({ body }) => {
    const text = Buffer.from(body).toString("utf8");
    if (text.startsWith(DEADLY)) {
      console.log(`deadly ${text}`);
      process.kill(process.pid, "SIGKILL");
    }
    await delay(handleMs);
    console.log(`got ${text}`);
  },
  { concurrency, maxDeliveries },
);
console.log("consuming");
process.once("SIGTERM", () => void messaging.close({ drainMs: 5_000 }));
