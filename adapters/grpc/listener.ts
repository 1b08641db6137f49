import { createServer, type Server, type Socket } from "node:net";
import { MessagingError } from "../../src/errors/messaging-error.js";
import { toError } from "../../src/util/error-text.js";
import type { ConnectionGate } from "./limits/connection-gate.js";
import type { ListenAddress } from "./options.js";
import { addressesOf } from "./security/public-address.js";

export interface ListenerOptions {
  readonly address: ListenAddress;
  readonly maxConnections: number;
  readonly gate: ConnectionGate;
  /** Told which addresses the host has, before it listens; throws where it must not. Default: it may on any. */
  checkAddresses?(addresses: readonly string[]): void;
  onConnection(socket: Socket): void;
  /** It listens no more. */
  onFailed(error: MessagingError): void;
}

/**
 * The listening socket, apart from the gRPC server: so it can be closed while connections that exist go on to bring their
 * acks, and its errors can be told in one line.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isClosed = false;
  #reject: (error: MessagingError) => void = () => {};

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { gate, maxConnections } = options;
    this.#server = createServer({ noDelay: true }, (socket) => {
      // A socket without a listener for errors would end the process with one.
      socket.on("error", () => undefined);
      if (!gate.admit(socket)) return;
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      options.onConnection(socket);
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on("drop", (dropped) => {
      gate.refused(dropped?.remoteAddress, `more than ${maxConnections} connections`);
    });
  }

  /** Resolves with the address, its port the real one. */
  listen(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#listen().then(resolve, reject);
    });
  }

  async #listen(): Promise<string> {
    const { address, checkAddresses } = this.#options;
    const addresses = await addressesOf(address.host).catch((error: unknown) => {
      throw toListenError(toError(error), address);
    });
    checkAddresses?.(addresses);
    if (this.#isClosed) throw closedError();
    // On what was looked at: the name may mean something else the next time.
    return await this.#bind(addresses[0] ?? address.host);
  }

  #bind(ip: string): Promise<string> {
    const { address, onFailed } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(toListenError(error, address));
      this.#server.once("error", failed);
      this.#server.listen(address.port, ip, () => {
        // Closed in the meantime.
        if (this.#isClosed) this.#server.close();
        this.#server.off("error", failed);
        this.#server.on("error", (error) => onFailed(toListenError(error, address)));
        const bound = this.#server.address();
        resolve(format(address.host, typeof bound === "object" && bound !== null ? bound.port : address.port));
      });
    });
  }

  /** Takes no more connections. Those that exist go on. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    this.#reject(closedError());
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function closedError(): MessagingError {
  return new MessagingError("CLOSED", "the gRPC gateway was closed while it started");
}

function toListenError(cause: Error, { host, port }: ListenAddress): MessagingError {
  const what = `listen on ${format(host, port)}`;
  const code = "code" in cause ? cause.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return new MessagingError("ALREADY_EXISTS", `${what}: the port is in use; choose another`, { cause });
    case "EACCES":
      return new MessagingError("PERMISSION_DENIED", `${what}: not allowed; choose a port from 1024 up`, { cause });
    case "EADDRNOTAVAIL":
      return new MessagingError("INVALID_ARGUMENT", `${what}: this machine does not have the address`, { cause });
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new MessagingError("INVALID_ARGUMENT", `${what}: there is no host of this name`, { cause });
    default:
      return new MessagingError("UNKNOWN", `${what}: ${cause.message}`, { cause });
  }
}

function format(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
