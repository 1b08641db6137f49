import type { Socket } from "node:net";
import type { Cancel, Clock } from "../../../src/ports/clock.js";
import type { Refusals } from "../security/refusals.js";
import { addressKey } from "./address-key.js";

export interface ConnectionGateOptions {
  readonly maxConnectionsPerAddress: number;
  readonly handshakeTimeoutMs: number;
  readonly clock: Clock;
  readonly refusals: Refusals;
}

/** Looks at connections before anything is read from them, and until they speak HTTP/2. */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  readonly #perAddress = new Map<string, number>();
  /** By address and port: connections of which nothing sensible has come yet. */
  readonly #silent = new Map<string, Cancel>();

  constructor(options: ConnectionGateOptions) {
    this.#options = options;
  }

  /** False: it is one too many of its address, and is gone. */
  admit(socket: Socket): boolean {
    const { maxConnectionsPerAddress, handshakeTimeoutMs, clock } = this.#options;
    const address = addressKey(socket.remoteAddress);
    const count = this.#perAddress.get(address) ?? 0;
    if (count >= maxConnectionsPerAddress) {
      this.refused(address, `more than ${maxConnectionsPerAddress} connections of one address`);
      socket.destroy();
      return false;
    }
    this.#perAddress.set(address, count + 1);
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const cancel = clock.setTimer(handshakeTimeoutMs, () => {
      this.refused(address, `no HTTP/2 within ${handshakeTimeoutMs} ms`);
      socket.destroy();
    });
    this.#silent.set(peer, cancel);
    socket.once("close", () => {
      if (this.#silent.get(peer) === cancel) this.spoke(peer);
      this.#leave(address);
    });
    return true;
  }

  /** It has sent its settings, the first that a client of HTTP/2 says. */
  spoke(peer: string): void {
    this.#silent.get(peer)?.();
    this.#silent.delete(peer);
  }

  refused(peer: string | undefined, reason: string): void {
    this.#options.refusals.note({ client: undefined, peer: addressKey(peer), what: "connection", reason });
  }

  #leave(address: string): void {
    const count = (this.#perAddress.get(address) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }
}
