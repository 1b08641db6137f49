import type { Broadcast, NodeId } from "./broadcast.js";
import type { Codec } from "./codec.js";
import type { Connection } from "./connection.js";
import type { Queue } from "./queue.js";

export interface PortOptions<T> {
  /** Default: raw bytes. */
  readonly codec?: Codec<T> | undefined;
}

/** The three ports over one broker. Asking for a port costs nothing; using it opens the connection. */
export interface Messaging extends Connection {
  /** The ServerNodeID of this process. */
  readonly nodeId: NodeId;
  /** Throws `INVALID_ARGUMENT` for a name that is empty, holds control characters, or is over 150 bytes of UTF-8. */
  queue(name: string): Queue;
  queue<T>(name: string, options: PortOptions<T>): Queue<T>;
  /** Throws as `queue` does. */
  broadcast(name: string): Broadcast;
  broadcast<T>(name: string, options: PortOptions<T>): Broadcast<T>;
}
