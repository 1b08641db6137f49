import type { Socket } from "node:net";
import type { ProxyFault, ProxySide, ProxyTrap, ProxyWatch } from "./proxy-fault.js";
import { afterBytes } from "./proxy-fault.js";
import { ProxyFlow } from "./proxy-flow.js";

export interface Connected {
  /** What this side has sent in all. */
  onBytes(from: ProxySide, total: number): void;
  onTrapped(): void;
  onClosed(connection: ProxiedConnection): void;
}

const NOTHING = Buffer.alloc(0);

/** A client's connection and the one to the server that it is passed on to. */
export class ProxiedConnection {
  readonly #sockets: Readonly<Record<ProxySide, Socket>>;
  readonly #flows: Readonly<Record<ProxySide, ProxyFlow>>;
  readonly #told: Connected;
  readonly #bytes: Record<ProxySide, number> = { client: 0, server: 0 };
  #trap: { readonly fault: ProxyFault; readonly watch: ProxyWatch } | undefined;
  #gone: ProxySide | undefined;
  #isOver = false;

  constructor(client: Socket, server: Socket, told: Connected) {
    this.#sockets = { client, server };
    this.#flows = { client: new ProxyFlow(client, server), server: new ProxyFlow(server, client) };
    this.#told = told;
    for (const side of ["client", "server"] as const) {
      const socket = this.#sockets[side];
      socket.on("error", () => this.#lost(side));
      socket.on("close", () => this.#lost(side));
      socket.on("data", (chunk: Buffer) => this.#see(side, chunk));
      socket.on("end", () => {
        // Whoever gave up a connection that stands still has closed it.
        if (this.#flows[side].isStalled) this.#cut();
        else this.#flows[side].end();
      });
    }
  }

  set(trap: ProxyTrap): void {
    this.#trap =
      "fault" in trap
        ? { fault: trap.fault, watch: trap.watch() }
        : { fault: { kind: trap.kind }, watch: afterBytes("server", trap.afterServerBytes)() };
    for (const side of ["client", "server"] as const) this.#see(side, NOTHING);
  }

  suffer(fault: ProxyFault): void {
    switch (fault.kind) {
      case "cut":
        this.#cut();
        break;
      case "stall":
        this.#each(fault.from, (flow) => flow.stall());
        break;
      case "slow":
        this.#each(fault.from, (flow) => flow.slow(fault.delayMs ?? 0, fault.bytesPerSecond));
        break;
      case "half-open":
        this.#gone = fault.gone;
        this.#sockets[fault.gone].resetAndDestroy();
        this.#flows[other(fault.gone)].swallow();
        break;
      case "half-closed":
        this.#flows[fault.by].end();
        break;
    }
  }

  /** What stood still moves again; what is gone stays so. */
  recover(): void {
    this.#each(undefined, (flow) => flow.recover());
  }

  #see(from: ProxySide, chunk: Buffer): void {
    this.#bytes[from] += chunk.length;
    this.#told.onBytes(from, this.#bytes[from]);
    const trap = this.#trap;
    const passes = trap?.watch(from, chunk);
    if (trap === undefined || passes === undefined) {
      this.#flows[from].push(chunk);
      return;
    }
    this.#trap = undefined;
    this.#flows[from].push(chunk.subarray(0, passes));
    this.#told.onTrapped();
    this.suffer(trap.fault);
    this.#flows[from].push(chunk.subarray(passes));
  }

  #each(from: ProxySide | undefined, act: (flow: ProxyFlow) => void): void {
    for (const side of ["client", "server"] as const) if (from === undefined || from === side) act(this.#flows[side]);
  }

  /** The end of one socket is the end of both, unless it is what the other is not to know. */
  #lost(side: ProxySide): void {
    if (this.#gone !== side) this.#cut();
  }

  #cut(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const socket of Object.values(this.#sockets)) socket.resetAndDestroy();
    this.#each(undefined, (flow) => flow.drop());
    this.#told.onClosed(this);
  }
}

function other(side: ProxySide): ProxySide {
  return side === "client" ? "server" : "client";
}
