import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type status,
} from "@grpc/grpc-js";
import type { EventsClientNotice } from "../../../adapters/grpc/index.js";
import { createEventsClient, type EventsClient, type EventsClientOptions } from "../../../adapters/grpc/index.js";
import { loadQueueApi } from "../../../adapters/grpc/proto.js";

export interface Posted {
  readonly eventJson: string;
  readonly userToken: string;
  readonly searchKey1: string;
  readonly searchKey2: string;
  readonly effectiveDate: { readonly seconds: string; readonly nanos: number } | null;
}

export type SubscribeCall = ServerWritableStream<{ readonly clientId: string }, object>;
export type Failure = { readonly code: status; readonly details: string; readonly metadata?: Metadata };

/** A server of queue.QueueApi, and of nothing else, that does as it likes. */
export class WilfulServer {
  readonly posts: { readonly event: Posted; readonly metadata: Metadata }[] = [];
  readonly acks: { readonly userToken: string; readonly success: boolean }[] = [];
  readonly closes: string[] = [];
  readonly streams: SubscribeCall[] = [];
  /** `undefined`: OK. `"never"`: no answer. */
  onPost: () => Failure | "never" | undefined = () => undefined;
  onAck: () => Failure | undefined = () => undefined;
  onClose: (stream: SubscribeCall | undefined, reply: () => void) => void = (stream, reply) => {
    stream?.end();
    setTimeout(reply, 5);
  };
  onSubscribe: (call: SubscribeCall) => void = (call) => call.sendMetadata(call.metadata.clone());
  readonly #server = new Server();
  port = 0;

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  static async start(port = 0, credentials = ServerCredentials.createInsecure()): Promise<WilfulServer> {
    const server = new WilfulServer();
    await server.#listen(port, credentials);
    return server;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  async #listen(port: number, credentials: ServerCredentials): Promise<void> {
    const answer = <T>(callback: sendUnaryData<T>, failure: Failure | "never" | undefined, reply: T): void => {
      if (failure === "never") return;
      if (failure === undefined) callback(null, reply);
      else callback(failure);
    };
    this.#server.addService(loadQueueApi().service, {
      PostEvent: (call: ServerUnaryCall<Posted, object>, callback: sendUnaryData<object>) => {
        this.posts.push({ event: call.request, metadata: call.metadata });
        answer(callback, this.onPost(), {});
      },
      Ack: (
        call: ServerUnaryCall<{ userToken: string; success: boolean }, object>,
        callback: sendUnaryData<object>,
      ) => {
        const { userToken, success } = call.request;
        this.acks.push({ userToken, success });
        answer(callback, this.onAck(), {});
      },
      Close: (call: ServerUnaryCall<{ clientId: string }, object>, callback: sendUnaryData<object>) => {
        this.closes.push(call.request.clientId);
        this.onClose(this.streams.at(-1), () => callback(null, {}));
      },
      SubscribeEvents: (call: SubscribeCall) => {
        this.streams.push(call);
        call.on("error", () => {});
        this.onSubscribe(call);
      },
    });
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
  }
}

/** Clients, what they told, and an end to all of them. */
export class EventsClients {
  readonly notices: EventsClientNotice[] = [];
  readonly #clients: EventsClient[] = [];

  create(options: EventsClientOptions): EventsClient {
    const client = createEventsClient({
      firstBackoffMs: 20,
      maxBackoffMs: 100,
      onNotice: (notice) => this.notices.push(notice),
      ...options,
    });
    this.#clients.push(client);
    return client;
  }

  get states(): string[] {
    return this.notices.flatMap((notice) => (notice.type === "state" ? [notice.state] : []));
  }

  /** The waits before each further try. */
  waits(what: "post" | "ack" | "subscribe"): number[] {
    return this.notices.flatMap((notice) => (notice.type === "retry" && notice.what === what ? [notice.waitMs] : []));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close({ drainMs: 0 })));
  }
}
