import type { Closeable } from "./lifecycle.js";

/** A way in from outside: serves ports to clients that speak another protocol. */
export interface Gateway extends Closeable {
  /** Resolves with the address it listens on, `host:port`, once clients can connect. Rejects if it cannot listen. */
  start(): Promise<string>;
}
