import { afterAll, beforeAll, describe, it } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { type AdapterHarness, contractTests } from "../../../src/contract/index.js";
import { createMessaging } from "../../../src/index.js";
import { startTcpProxy, type TcpProxy } from "../../../tools/proxy/tcp-proxy.js";
import { CONTRACT_SUFFIXES, openOperator, uniqueName } from "./broker.js";

/**
 * A run against the broker of `RABBITMQ_URL`, with no more rights than an application has there. What can be done to
 * its connections is done by a proxy; what only its operator can do is not verified. Selected when the variable is set.
 */
const external = new URL(process.env.RABBITMQ_URL ?? "amqp://127.0.0.1:5672");
let proxy: TcpProxy | undefined;
const names = new Set<string>();

const urlBy = (port: number): string => {
  const url = new URL(external);
  url.hostname = "127.0.0.1";
  url.port = String(port);
  return url.href;
};
const driver = (port = proxy?.port ?? 1) =>
  rabbitmqDriver({ url: urlBy(port), heartbeatSeconds: 2, closeTimeoutMs: 2_000 });
const withOperator = async (
  act: (operator: Awaited<ReturnType<typeof openOperator>>) => Promise<void>,
): Promise<void> => {
  const operator = await openOperator(external.href);
  await act(operator).finally(() => operator.close());
};

const harness: AdapterHarness = {
  name: "rabbitmq at RABBITMQ_URL",
  capabilities: driver().capabilities,
  createDriver: () => driver(),
  createMessaging: async (options) => createMessaging({ ...options, driver: driver() }),
  createUnreachable: async ({ connectTimeoutMs }) => createMessaging({ driver: driver(1), connectTimeoutMs }),
  uniqueName(purpose) {
    const name = uniqueName(purpose);
    names.add(name);
    return name;
  },
  faults: {
    dropConnections: async () => proxy?.cut(),
    deleteQueue: (queue) => withOperator(({ deleteQueue }) => deleteQueue(queue)),
    freezeBroker: async () => proxy?.stall(),
    thawBroker: async () => proxy?.resume(),
  },
  cleanup: () =>
    withOperator(async ({ deleteQueue, deleteExchange }) => {
      for (const name of names) {
        await Promise.all([...CONTRACT_SUFFIXES.map((suffix) => deleteQueue(name + suffix)), deleteExchange(name)]);
      }
      names.clear();
    }),
};

beforeAll(async () => {
  if (external.protocol !== "amqp:") throw new Error("RABBITMQ_URL must start with amqp:// (a proxy stands between)");
  proxy = await startTcpProxy(Number(external.port || 5672), external.hostname);
});
afterAll(() => proxy?.stop());

contractTests({ describe, it: (name, run) => it(name, run, 150_000) }, harness);
