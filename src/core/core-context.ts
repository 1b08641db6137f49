import type { Driver, WireMessage } from "../driver/driver.js";
import type { NodeId } from "../ports/broadcast.js";
import type { Clock, Random } from "../ports/clock.js";
import type { Closeable } from "../ports/lifecycle.js";
import type { Observer } from "../ports/observer.js";
import type { ManagedConnection } from "./managed-connection.js";
import type { MessageIds } from "./message-ids.js";
import type { Outbox } from "./outbox.js";

/** A server of a sink, as others of the same node see it. */
export interface LocalServer {
  /** Credit or an abort for one of its calls. */
  hear(frame: WireMessage): void;
  /** Whether it runs the call. */
  runs(id: string): boolean;
}

/** What every portable part of one Messaging shares. */
export interface CoreContext {
  readonly driver: Driver;
  readonly connection: ManagedConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: Observer;
  /** False: nobody listens, so that what happens to each message need not be put into words. */
  readonly isObserved: boolean;
  readonly messageIds: MessageIds;
  readonly nodeId: NodeId;
  /** Bounds setting up a consumer or subscription. */
  readonly connectTimeoutMs: number;
  /** What is being published, over all queues and broadcasts. */
  readonly outbox: Outbox;
  /** By sink: the servers of this node. */
  readonly servers: Map<string, Set<LocalServer>>;
  /** What closes with the Messaging, before it. */
  readonly open: Set<Closeable>;
}
