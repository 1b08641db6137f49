import { randomBytes } from "node:crypto";
import { freePorts } from "../process/free-ports.js";
import { createProcessGuard, type ProcessGuard } from "../process/process-guard.js";
import { findRabbitmq } from "./find-rabbitmq.js";
import { prepareNative } from "./native-host.js";
import { createRabbitmqNode, launchUntilReady, type RabbitmqNode } from "./rabbitmq-node.js";

/** Private nodes on 127.0.0.1 that are one broker. */
export interface RabbitmqCluster {
  readonly nodes: readonly RabbitmqNode[];
  readonly urls: readonly string[];
  /** The node that leads a quorum queue of the virtual host `/`; rejects if none of those that run knows one. */
  leaderOf(queue: string): Promise<RabbitmqNode>;
  /** Ends all nodes. A second call does nothing. */
  stop(): Promise<void>;
}

interface Member {
  readonly node: RabbitmqNode;
  readonly name: string;
}

/**
 * Three nodes with one cookie, on one port mapper, that pause when they are in a minority. Resolves when all have joined,
 * after half a minute or more. Needs RabbitMQ on this machine, not in a container.
 */
export async function startRabbitmqCluster(size = 3): Promise<RabbitmqCluster> {
  const source = await findRabbitmq();
  if (source.kind !== "native") throw new Error("a cluster needs RabbitMQ on this machine: install rabbitmq-server");
  const [epmdPort = 0, ...ports] = await freePorts(1 + size * 2);
  const names = Array.from({ length: size }, (_, index) => `fairlead-${ports[index * 2]}@localhost`);
  const cookie = randomBytes(16).toString("hex");
  const guards: ProcessGuard[] = [];
  const start = async (index: number): Promise<Member> => {
    const guard = createProcessGuard("rabbitmq");
    guards.push(guard);
    const [port = 0, distPort = 0] = ports.slice(index * 2);
    const name = names[index] ?? "";
    const { directory } = guard;
    const { kind, serverDirectory } = source;
    const host = prepareNative(
      { kind, serverDirectory, directory, port, distPort, epmdPort, nodeName: name, url: `amqp://127.0.0.1:${port}` },
      { cookie, configuration: configurationOf(index === 0 ? [] : names) },
    );
    const node = createRabbitmqNode(host, () => guard.release());
    await launchUntilReady(host);
    return { node, name };
  };
  try {
    // The others find it when they start, and join: nodes that all begin alone would stay apart.
    const first = await start(0);
    const others = await Promise.all(names.slice(1).map((_, index) => start(index + 1)));
    return createCluster([first, ...others]);
  } catch (error) {
    await Promise.allSettled(guards.map((guard) => guard.release()));
    throw error;
  }
}

function createCluster(members: readonly Member[]): RabbitmqCluster {
  const nodes = members.map(({ node }) => node);
  return {
    nodes,
    urls: nodes.map(({ url }) => url),
    async leaderOf(queue) {
      for (const { node } of members) {
        if (!(await node.running())) continue;
        const leader = await node.control("eval", leaderExpression(queue)).catch(() => "");
        const found = members.find(({ name }) => leader.includes(name));
        if (found !== undefined) return found.node;
      }
      throw new Error(`no node of the cluster knows the leader of ${queue}`);
    },
    async stop() {
      // The first one has the port mapper, which the others need to stop in order.
      for (const node of [...nodes].reverse()) await node.stop();
    },
  };
}

/** Each node joins the first of these that it finds when it starts with nothing. */
function configurationOf(names: readonly string[]): string {
  const list = names.map((name) => `'${name}'`).join(", ");
  const join = names.length === 0 ? "" : `{cluster_nodes, {[${list}], disc}}, `;
  return `[{rabbit, [${join}{cluster_partition_handling, pause_minority}]}].`;
}

function leaderExpression(queue: string): string {
  const bytes = [...Buffer.from(queue, "utf8")].join(",");
  return `{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<${bytes}>>)), rabbit_amqqueue:info(Q, [leader]).`;
}
