import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import type { AdapterHarness, HarnessFaults } from "../../../src/contract/index.js";
import { createMessaging } from "../../../src/index.js";
import { freePorts } from "../../../tools/process/free-ports.js";
import { startTcpProxy, type TcpProxy } from "../../../tools/proxy/tcp-proxy.js";
import {
  brokerNode,
  brokerPort,
  brokerUrl,
  CONTRACT_SUFFIXES,
  closeConsumingChannels,
  type Operator,
  openOperator,
  uniqueName,
} from "./broker.js";

/** Multiplies the deadlines of cases that must pass: a machine that is slow breaks no promise. */
const PATIENT = 3;

export interface HarnessRig {
  readonly harness: AdapterHarness;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A link that is silent is lost after two to three of them. */
const HEARTBEAT_SECONDS = 2;

/** A run of the contract on the node that the tests started: in a virtual host of its own, through a proxy of its own. */
export function nodeHarness(queueType: "quorum" | "classic"): HarnessRig {
  const vhost = uniqueName(`contract-${queueType}`).replace(" ", "-");
  const names = new Set<string>();
  let proxy: TcpProxy | undefined;
  let operator: Promise<Operator> | undefined;
  let closedPort = 0;

  const driver = (port = proxy?.port ?? 1) =>
    rabbitmqDriver({
      url: `amqp://127.0.0.1:${port}/${vhost}`,
      queueType,
      heartbeatSeconds: HEARTBEAT_SECONDS,
      closeTimeoutMs: 2_000,
    });
  const asOperator = (): Promise<Operator> => {
    operator ??= openOperator(`${brokerUrl}/${vhost}`);
    return operator;
  };
  const closeOperator = async (): Promise<void> => {
    const open = operator;
    operator = undefined;
    await (await open)?.close();
  };
  const setMemoryLimit = (limit: string) => brokerNode().control("set_vm_memory_high_watermark", limit);
  const faults: HarnessFaults = {
    dropConnections: async () => proxy?.cut(),
    dropConsumers: (queue) => closeConsumingChannels(queue, vhost),
    deleteQueue: async (queue) => (await asOperator()).deleteQueue(queue),
    async restartBroker() {
      await closeOperator();
      const node = brokerNode();
      // A quorum queue whose registration is not on the disk yet never comes back (seen with 3.10.8): it is written
      // about a second after the declaration.
      await node.control("eval", "lists:foreach(fun dets:sync/1, dets:all()).");
      await node.kill();
      await node.restart();
    },
    blockPublishes: async () => void (await setMemoryLimit("0.0001")),
    unblockPublishes: async () => void (await setMemoryLimit("0.4")),
    freezeBroker: async () => proxy?.stall(),
    thawBroker: async () => proxy?.resume(),
    silenceLimitMs: 3 * HEARTBEAT_SECONDS * 1_000,
  };
  const harness: AdapterHarness = {
    name: `rabbitmq ${queueType}`,
    capabilities: driver().capabilities,
    createDriver: () => driver(),
    createMessaging: async (options) => createMessaging({ ...options, driver: driver() }),
    createUnreachable: async ({ connectTimeoutMs }) =>
      createMessaging({ driver: driver(closedPort), connectTimeoutMs }),
    uniqueName(purpose) {
      const name = uniqueName(purpose);
      names.add(name);
      return name;
    },
    faults,
    async cleanup() {
      const { deleteQueue, deleteExchange } = await asOperator();
      for (const name of names) {
        await Promise.all([...CONTRACT_SUFFIXES.map((suffix) => deleteQueue(name + suffix)), deleteExchange(name)]);
      }
      names.clear();
    },
    timeScale: PATIENT,
  };
  return {
    harness,
    async start() {
      await brokerNode().control("add_vhost", vhost);
      await brokerNode().control("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*");
      proxy = await startTcpProxy(brokerPort);
      // Not one that the system may give to somebody else meanwhile.
      [closedPort = 0] = await freePorts(1);
    },
    async stop() {
      await closeOperator();
      await proxy?.stop();
      await brokerNode().control("delete_vhost", vhost);
    },
  };
}
