import { freePorts } from "../process/free-ports.js";
import { createProcessGuard } from "../process/process-guard.js";
import { prepareDocker } from "./docker-host.js";
import { findRabbitmq, type RabbitmqSource } from "./find-rabbitmq.js";
import { prepareNative } from "./native-host.js";
import type { NodeHost } from "./node-host.js";
import { createRabbitmqNode, launchUntilReady, type RabbitmqNode } from "./rabbitmq-node.js";

export interface RabbitmqOptions {
  /** Default: what `findRabbitmq` finds, which may install it. */
  readonly source?: RabbitmqSource | undefined;
}

const TRIES = 3;

/**
 * A private node on free ports of 127.0.0.1, with its own data, log, cookie and port mapper. Resolves when it takes
 * connections, after 6 to 11 s; an installation before it may take minutes. What was started ends with this process,
 * however that ends, at the latest a second after it.
 */
export async function startRabbitmq(options: RabbitmqOptions = {}): Promise<RabbitmqNode> {
  const source = options.source ?? (await findRabbitmq());
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnFreePorts(source);
    } catch (error) {
      // Somebody else took a port between our look at it and the broker's.
      if (attempt === TRIES || !/eaddrinuse|address already in use|epmd ended at once/i.test(String(error)))
        throw error;
    }
  }
}

async function startOnFreePorts(source: RabbitmqSource): Promise<RabbitmqNode> {
  const guard = createProcessGuard("rabbitmq");
  try {
    const host = await prepare(source, guard.directory);
    const node = createRabbitmqNode(host, () => guard.release());
    await launchUntilReady(host);
    return node;
  } catch (error) {
    await guard.release();
    throw error;
  }
}

async function prepare(source: RabbitmqSource, directory: string): Promise<NodeHost> {
  const [port, distPort, epmdPort] = await freePorts(3);
  if (port === undefined || distPort === undefined || epmdPort === undefined) throw new Error("no free ports");
  const common = { url: `amqp://127.0.0.1:${port}`, port, directory };
  if (source.kind === "docker") return prepareDocker({ kind: "docker", ...common });
  const nodeName = `fairlead-${port}@localhost`;
  return prepareNative({
    kind: "native",
    ...common,
    serverDirectory: source.serverDirectory,
    nodeName,
    distPort,
    epmdPort,
  });
}
