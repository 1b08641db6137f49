import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** What becomes of connections made from now on, once the server has answered this many bytes. */
export interface ProxyTrap {
  readonly kind: "cut" | "stall";
  readonly afterServerBytes: number;
}

/** A TCP proxy on 127.0.0.1 before a server, that can be made to misbehave. */
export interface TcpProxy {
  readonly port: number;
  /** Pairs of sockets that are open now. */
  readonly connections: number;
  /** How many there ever were. */
  readonly accepted: number;
  /** The most that the server answered on one connection, in bytes. */
  readonly serverBytes: number;
  /** Resets all connections, to both sides; new ones are welcome. */
  cut(): void;
  /** Nothing passes any more, in either direction, also on new connections, and nobody is told. */
  stall(): void;
  resume(): void;
  setTrap(trap: ProxyTrap | undefined): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly trap: ProxyTrap | undefined;
  stalled: boolean;
}

export async function startTcpProxy(serverPort: number, serverHost = "127.0.0.1"): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let stalled = false;
  let trap: ProxyTrap | undefined;
  let accepted = 0;
  let serverBytes = 0;

  const end = (pair: Pair): void => {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  };
  const flow = (pair: Pair): void => {
    const stops = stalled || pair.stalled;
    for (const socket of [pair.client, pair.server]) {
      if (stops) socket.pause();
      else socket.resume();
    }
  };
  const listener = createServer({ noDelay: true }, (client) => {
    accepted += 1;
    const server = connect({ host: serverHost, port: serverPort, noDelay: true });
    const pair: Pair = { client, server, trap, stalled: false };
    let answered = 0;
    pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on("error", () => end(pair));
      socket.on("close", () => end(pair));
    }
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => {
      const allowed = pair.trap === undefined ? chunk.length : pair.trap.afterServerBytes - answered;
      answered += chunk.length;
      serverBytes = Math.max(serverBytes, answered);
      client.write(chunk.subarray(0, Math.max(0, allowed)));
      if (allowed >= chunk.length) return;
      if (pair.trap?.kind === "cut") end(pair);
      pair.stalled = true;
      flow(pair);
    });
    flow(pair);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;

  return {
    port,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    get serverBytes() {
      return serverBytes;
    },
    cut() {
      for (const pair of [...pairs]) end(pair);
    },
    stall() {
      stalled = true;
      for (const pair of pairs) flow(pair);
    },
    resume() {
      stalled = false;
      for (const pair of pairs) flow(pair);
    },
    setTrap(next) {
      trap = next;
    },
    async stop() {
      const closed = once(listener, "close");
      listener.close();
      for (const pair of [...pairs]) end(pair);
      await closed;
    },
  };
}
