import type { Broadcast, NodeId } from "./broadcast.js";
import type { Codec } from "./codec.js";
import type { Connection } from "./connection.js";
import type { Inspection } from "./inspection.js";
import type { Queue } from "./queue.js";
import type { RequestServer, RequestSink, RequestSinkOptions, ServeOptions } from "./request-sink.js";

export interface PortOptions<T> {
  /** Default: raw bytes. */
  readonly codec?: Codec<T> | undefined;
}

export interface QueueOptions<T> extends PortOptions<T> {
  /**
   * True: a queue for requests and other work that is worthless once it is old. It is three lines, one for each priority
   * (`bulk`, `standard`, `expedite`), so that what is slow or plenty in one never holds up another, on every adapter.
   * In return its messages are transient (gone with the broker), it has no delays, and no dead letters: what expires is
   * dropped, and `consume` needs `maxAttempts` and `maxDeliveries` to be `Infinity`. All who use the name must say the
   * same: with lanes and without are two queues. Default false.
   */
  readonly lanes?: boolean | undefined;
}

/** The three ports over one broker. Asking for a port costs nothing; using it opens the connection. */
export interface Messaging extends Connection {
  /** The ServerNodeID of this process. */
  readonly nodeId: NodeId;
  /** For operators. Undefined where the adapter cannot. */
  readonly inspection: Inspection | undefined;
  /** Throws `INVALID_ARGUMENT` for a name that is empty, holds control characters, or is over 150 bytes of UTF-8. */
  queue(name: string): Queue;
  queue<T = Uint8Array>(name: string, options: QueueOptions<T>): Queue<T>;
  /** Throws as `queue` does. */
  broadcast(name: string): Broadcast;
  broadcast<T>(name: string, options: PortOptions<T>): Broadcast<T>;
  /** The client's side: what is signalled here goes to one of the servers that serve the name. Throws as `queue` does. */
  requestSink(name: string): RequestSink;
  requestSink<Req, Res>(name: string, options: RequestSinkOptions<Req, Res>): RequestSink<Req, Res>;
  /**
   * The server's side: answers requests to the name with the sink, in competition with all others that serve it.
   * Resolves once requests can arrive; from then on it comes back by itself after every loss.
   */
  serve(name: string, sink: RequestSink): Promise<RequestServer>;
  serve<Req, Res>(name: string, sink: RequestSink<Req, Res>, options: ServeOptions<Req, Res>): Promise<RequestServer>;
}
