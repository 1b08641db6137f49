import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/** What those who share a node are told of it. */
export interface SharedNode {
  readonly url: string;
  readonly stateFile: string;
}

export interface BrokerTurns {
  readonly port: number;
  stop(): Promise<void>;
}

export interface BrokerTurn {
  readonly node: SharedNode;
  end(): void;
}

interface Asker {
  readonly socket: Socket;
  readonly isAlone: boolean;
}

const ALONE = "alone";
const BESIDE_OTHERS = "beside others";

/**
 * Hands out turns with a node, in the order in which they are asked for: to so many at once, or to one alone that asks
 * for that. They begin once the node is there. A turn is a connection, so it ends however its owner ends.
 */
export async function startBrokerTurns(atOnce: number, starting: Promise<SharedNode>): Promise<BrokerTurns> {
  const waiting: Asker[] = [];
  const having = new Set<Asker>();
  let answer: string | undefined;

  const hasRoomFor = ({ isAlone }: Asker): boolean =>
    isAlone ? having.size === 0 : having.size < atOnce && ![...having].some((other) => other.isAlone);
  const serve = (): void => {
    for (let [first] = waiting; first !== undefined && answer !== undefined && hasRoomFor(first); [first] = waiting) {
      waiting.shift();
      having.add(first);
      first.socket.write(`${answer}\n`);
    }
  };

  const server = createServer((socket) => {
    socket.on("error", () => {});
    createInterface(socket).once("line", (asked) => {
      const asker = { socket, isAlone: asked === ALONE };
      waiting.push(asker);
      socket.once("close", () => {
        if (having.delete(asker)) return serve();
        waiting.splice(waiting.indexOf(asker), 1);
        serve();
      });
      serve();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const tell = (told: { readonly node: SharedNode } | { readonly error: string }): void => {
    answer = JSON.stringify(told);
    serve();
  };
  starting.then(
    (node) => tell({ node }),
    (error: unknown) => tell({ error: String(error) }),
  );
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      for (const { socket } of [...waiting, ...having]) socket.destroy();
    },
  };
}

/** Waits for a turn, as long as those before take. Rejects when there is no node to have. */
export async function takeBrokerTurn(port: number, isAlone: boolean): Promise<BrokerTurn> {
  const socket = connect(port, "127.0.0.1");
  socket.write(`${isAlone ? ALONE : BESIDE_OTHERS}\n`);
  for await (const line of createInterface(socket)) {
    const { node, error } = JSON.parse(line) as { node?: SharedNode; error?: string };
    if (node === undefined) throw new Error(`no RabbitMQ node: ${error}`);
    // Whoever is done with its tests is not kept by it.
    return { node, end: () => socket.destroy() };
  }
  throw new Error("the run ended before there was a turn with the RabbitMQ node");
}
