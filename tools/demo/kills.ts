import { waitUntil } from "../process/wait-until.js";
import { amqpAnswers, type RabbitmqNode } from "../rabbitmq/index.js";
import type { DemoServer } from "./demo-server.js";

const BACK_MS = 90_000;
const START_TRIES = 3;

/** Something was killed; the promise resolves when it, or another in its place, is back. */
export interface Killed {
  readonly back: Promise<void>;
}

export async function killServer(server: DemoServer, say: (line: string) => void): Promise<Killed> {
  const { pid } = server;
  await server.kill();
  say(`${server.name} pid=${pid} was killed with SIGKILL`);
  const back = server
    .start(START_TRIES)
    .then(() => say(`${server.name} is back at ${server.address} pid=${server.pid}`));
  return { back };
}

/** Whoever keeps the broker starts it again. */
export async function killBroker(node: RabbitmqNode, say: (line: string) => void): Promise<Killed> {
  const { pid } = node;
  await node.kill();
  say(`the broker pid=${pid} was killed with SIGKILL`);
  const back = waitUntil(async () => node.pid !== pid && (await amqpAnswers(node.port, 2_000)), {
    what: "npm run broker to start the broker again",
    timeoutMs: BACK_MS,
    intervalMs: 200,
  }).then(() => say(`the broker is back pid=${node.pid}`));
  return { back };
}
