import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type Connected, ProxiedConnection } from "./proxied-connection.js";
import type { ProxyFault, ProxySide, ProxyTrap } from "./proxy-fault.js";

export { afterBytes, atOnce, type ProxyFault, type ProxySide, type ProxyTrap } from "./proxy-fault.js";

/** A TCP proxy on 127.0.0.1 before a server, that can be made to misbehave. */
export interface TcpProxy {
  readonly port: number;
  /** Pairs of sockets that are open now. */
  readonly connections: number;
  /** How many there ever were. */
  readonly accepted: number;
  /** The most that the server answered on one connection, in bytes. */
  readonly serverBytes: number;
  /** The most that a client sent on one connection, in bytes. */
  readonly clientBytes: number;
  /** How many connections have run into a trap. */
  readonly trapped: number;
  /** Resets all connections, to both sides; new ones are welcome. */
  cut(): void;
  /**
   * Nothing that this side sends passes any more, also on new connections, and nobody is told. Default: neither side's.
   * Only `resume` lets it pass, and then nothing is missing.
   */
  stall(from?: ProxySide): void;
  /** Every connection, also new ones, until `resume`. */
  slow(how: { readonly delayMs?: number; readonly bytesPerSecond?: number; readonly from?: ProxySide }): void;
  /** Once, for those that are open now. */
  harm(fault: ProxyFault): void;
  resume(): void;
  /** For connections that are made from now on. */
  setTrap(trap: ProxyTrap | undefined): void;
  stop(): Promise<void>;
}

export async function startTcpProxy(serverPort: number, serverHost = "127.0.0.1"): Promise<TcpProxy> {
  const open = new Set<ProxiedConnection>();
  const lasting: ProxyFault[] = [];
  let trap: ProxyTrap | undefined;
  let accepted = 0;
  let serverBytes = 0;
  let clientBytes = 0;
  let trapped = 0;

  const told: Connected = {
    onBytes(from, total) {
      if (from === "server") serverBytes = Math.max(serverBytes, total);
      else clientBytes = Math.max(clientBytes, total);
    },
    onTrapped: () => {
      trapped += 1;
    },
    onClosed: (connection) => open.delete(connection),
  };
  const listener = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    accepted += 1;
    const server = connect({ host: serverHost, port: serverPort, noDelay: true, allowHalfOpen: true });
    const connection = new ProxiedConnection(client, server, told);
    open.add(connection);
    for (const fault of lasting) connection.suffer(fault);
    if (trap !== undefined) connection.set(trap);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;

  const harm = (fault: ProxyFault): void => {
    for (const connection of [...open]) connection.suffer(fault);
  };
  const last = (fault: ProxyFault): void => {
    lasting.push(fault);
    harm(fault);
  };
  return {
    port,
    get connections() {
      return open.size;
    },
    get accepted() {
      return accepted;
    },
    get serverBytes() {
      return serverBytes;
    },
    get clientBytes() {
      return clientBytes;
    },
    get trapped() {
      return trapped;
    },
    cut: () => harm({ kind: "cut" }),
    stall: (from) => last({ kind: "stall", from }),
    slow: (how) => last({ kind: "slow", ...how }),
    harm,
    resume() {
      lasting.length = 0;
      for (const connection of open) connection.recover();
    },
    setTrap(next) {
      trap = next;
    },
    async stop() {
      const closed = once(listener, "close");
      listener.close();
      harm({ kind: "cut" });
      await closed;
    },
  };
}
