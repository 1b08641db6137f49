import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** What it knows of the wire: the contract, and nothing of ours. */
const PROTO = fileURLToPath(new URL("../../../proto/queue.proto", import.meta.url));

/** The states of the client that the existing Go library has. */
export type State = "closed" | "connected" | "disconnected";

export interface WireEvent {
  readonly client_id: string;
  readonly event_json: string;
  readonly user_token: string;
  readonly future_user_token: string;
  readonly search_key1: string;
  readonly search_key2: string;
}

export interface OriginalClientOptions {
  readonly address: string;
  readonly clientId: string;
  /** Below 1 it is 1. */
  readonly apiAttempts?: number;
  readonly searchKey1?: string;
  readonly searchKey2?: string;
  readonly keepAlive?: boolean;
  /** The pause after the first failed attempt; doubled for each one more. The original's is a second. */
  readonly firstPauseMs?: number;
  /** Default: plaintext. */
  readonly credentials?: ChannelCredentials;
}

const RECONNECT_ATTEMPTS = 16;
/** The original fails a call on a channel that is down; this one tells it only by waiting. */
const READY_MS = 10_000;

type Unary = (request: object, callback: (error: ServiceError | null) => void) => void;

interface Stub {
  readonly PostEvent: Unary;
  readonly Ack: Unary;
  readonly Close: Unary;
  SubscribeEvents(request: object): ClientReadableStream<WireEvent>;
}

/**
 * The client that exists in the field, in its observable behaviour: what it sends, when it sends it again, how it
 * listens, and what its `close` needs from a server. Kept as careless as it is: it retries every error, waits without
 * regard to anything, and subscribes again at once whenever a stream ends.
 */
export class OriginalClient {
  state: State = "closed";
  /** Streams that it has asked for. */
  subscribes = 0;
  /** Tokens of its posts: a new one for each attempt. */
  readonly sentTokens: string[] = [];
  /** How each stream came to its end. */
  readonly streamEnds: string[] = [];
  /** Closed with a stream that the server had not ended: the original then hangs for hours, and never tells that it is closed. */
  isStuck = false;
  readonly #options: Required<OriginalClientOptions>;
  readonly #client: Client;
  readonly #stub: Stub;
  #onEvent: (event: WireEvent) => void = () => {};
  #onClose: () => void = () => {};
  #stream: ClientReadableStream<WireEvent> | undefined;
  #isGone = false;
  /** What the original's mutex does: a reconnect holds everybody up. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: OriginalClientOptions) {
    this.#options = {
      searchKey1: "0",
      searchKey2: "0",
      keepAlive: true,
      firstPauseMs: 1_000,
      credentials: credentials.createInsecure(),
      ...options,
      apiAttempts: Math.max(1, options.apiAttempts ?? 1),
    };
    const definition = loadSync(PROTO, { keepCase: true, longs: String, defaults: true });
    const { queue } = loadPackageDefinition(definition) as unknown as {
      readonly queue: { readonly QueueApi: ServiceClientConstructor };
    };
    const keepAlive = {
      "grpc.keepalive_time_ms": 10_000,
      "grpc.keepalive_timeout_ms": 3_000,
      "grpc.keepalive_permit_without_calls": 1,
    };
    this.#client = new queue.QueueApi(this.#options.address, this.#options.credentials, {
      ...(this.#options.keepAlive ? keepAlive : {}),
      // As separate processes have it.
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#stub = this.#client as unknown as Stub;
  }

  post(json: string): Promise<void> {
    const { clientId, searchKey1, searchKey2 } = this.#options;
    return this.#attempts(this.#options.apiAttempts, () => {
      const userToken = randomUUID();
      this.sentTokens.push(userToken);
      return this.#unary("PostEvent", {
        client_id: clientId,
        event_json: json,
        user_token: userToken,
        future_user_token: "",
        // Whole seconds.
        effective_date: { seconds: String(Math.floor(Date.now() / 1_000)), nanos: 0 },
        search_key1: searchKey1,
        search_key2: searchKey2,
      });
    });
  }

  ack(userToken: string, success: boolean): Promise<void> {
    return this.#attempts(this.#options.apiAttempts, () => this.#unary("Ack", { user_token: userToken, success }));
  }

  /** A second handler is dropped. The handler's answer counts for nothing: whoever uses this acknowledges himself. */
  subscribe(onEvent: (event: WireEvent) => void, onClose: () => void): Promise<void> {
    return this.#inTurn(async () => {
      if (this.state !== "closed") return;
      this.#onEvent = onEvent;
      this.#onClose = onClose;
      await this.#attempts(this.#options.apiAttempts, () => this.#open());
      this.state = "connected";
    });
  }

  /**
   * Asks the server to end the stream, then takes the channel down. If the stream has not ended by then, that ends it with
   * an error, which the client takes for a lost link: it never tells that it is closed.
   */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.state !== "closed") {
        await this.#unary("Close", { client_id: this.#options.clientId }).catch(() => undefined);
        this.state = "closed";
      }
      this.#isGone = true;
      Client.prototype.close.call(this.#client);
      this.#stream?.cancel();
    });
  }

  /** For the end of a test: whatever it does, it stops. */
  destroy(): void {
    this.#isGone = true;
    this.#stream?.cancel();
    this.#stream = undefined;
    Client.prototype.close.call(this.#client);
  }

  async #open(): Promise<void> {
    const { clientId, searchKey2 } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#client.waitForReady(Date.now() + READY_MS, (error) => (error === undefined ? resolve() : reject(error)));
    });
    this.subscribes += 1;
    const stream = this.#stub.SubscribeEvents({ client_id: clientId, search_key2: searchKey2 });
    this.#stream = stream;
    stream.on("data", (event: WireEvent) => this.#onEvent(event));
    stream.on("error", (error: ServiceError) => this.#onStreamEnd(stream, status[error.code] ?? "UNKNOWN"));
    stream.on("end", () => setImmediate(() => this.#onStreamEnd(stream, "EOF")));
  }

  #onStreamEnd(stream: ClientReadableStream<WireEvent>, how: string): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.streamEnds.push(how);
    void this.#inTurn(async () => {
      if (how === "EOF" && this.state === "closed") return this.#onClose();
      if (this.#isGone) {
        this.isStuck = true;
        return;
      }
      this.state = "disconnected";
      // It counts as a success as soon as there is a stream to read from: no pause comes between one stream and the next.
      await this.#attempts(RECONNECT_ATTEMPTS, () => this.#open());
      this.state = "connected";
    });
  }

  async #attempts(most: number, act: () => Promise<void>): Promise<void> {
    for (let attempt = 1, pauseMs = this.#options.firstPauseMs; ; attempt += 1, pauseMs *= 2) {
      try {
        await act();
        return;
      } catch (error) {
        if (attempt >= most || this.#isGone) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  #unary(method: "PostEvent" | "Ack" | "Close", request: object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stub[method](request, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(act);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
