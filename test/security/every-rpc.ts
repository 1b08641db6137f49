import { Duplex } from "node:stream";
import {
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { loadEvents, loadInspection, loadQueueApi, loadRequestSink } from "../../adapters/grpc/proto.js";
import type { Right } from "../../adapters/grpc/security/rights.js";

interface Rpc {
  readonly path: string;
  readonly right: Right;
  /** The first request, about this name; what names nothing ignores it. */
  request(name: string): object;
  readonly namesNothing?: boolean;
  /** Refusals come with each result, not as the end of the stream. */
  readonly tellsEach?: boolean;
}

/** Every rpc of ours, with a request that is right but for what it names. */
export const EVERY_RPC: readonly Rpc[] = [
  { path: "/queue.QueueApi/PostEvent", right: "post", request: (clientId) => ({ clientId, eventJson: "{}" }) },
  { path: "/queue.QueueApi/SubscribeEvents", right: "subscribe", request: (clientId) => ({ clientId }) },
  {
    path: "/queue.QueueApi/Ack",
    right: "subscribe",
    request: () => ({ userToken: "x", success: true }),
    namesNothing: true,
  },
  { path: "/queue.QueueApi/Close", right: "subscribe", request: (clientId) => ({ clientId }) },
  {
    path: "/fairlead.v1.Events/Post",
    right: "post",
    request: (clientId) => ({ event: { clientId, body: Buffer.from("{}") } }),
  },
  {
    path: "/fairlead.v1.Events/PostEvents",
    right: "post",
    request: (clientId) => ({ events: [{ clientId, body: Buffer.from("{}") }] }),
    tellsEach: true,
  },
  { path: "/fairlead.v1.Events/Subscribe", right: "subscribe", request: (clientId) => ({ clientId, credit: 1 }) },
  {
    path: "/fairlead.v1.Events/Ack",
    right: "subscribe",
    request: () => ({ acks: [{ ackToken: "x", success: true }] }),
    namesNothing: true,
  },
  { path: "/fairlead.v1.Events/Close", right: "subscribe", request: (clientId) => ({ clientId }) },
  { path: "/fairlead.v1.Inspection/Counts", right: "admin", request: (queue) => ({ queue }) },
  { path: "/fairlead.v1.Inspection/Browse", right: "admin", request: (queue) => ({ queue, selection: { limit: 1 } }) },
  { path: "/fairlead.v1.Inspection/Remove", right: "admin", request: (queue) => ({ queue, selection: { limit: 1 } }) },
  { path: "/fairlead.v1.Inspection/Replay", right: "admin", request: (queue) => ({ queue, selection: { limit: 1 } }) },
  {
    path: "/fairlead.v1.Inspection/Update",
    right: "admin",
    request: (queue) => ({ queue, messageId: "x", body: Buffer.from("{}") }),
  },
  {
    path: "/fairlead.v1.RequestSink/Call",
    right: "request",
    request: (sink) => ({ request: { sink, timeoutMs: 1_000, window: 1, windowBytes: 1_000 } }),
  },
  { path: "/fairlead.v1.RequestSink/Signal", right: "request", request: (sink) => ({ sink, timeoutMs: 1_000 }) },
];

const definitions = [loadQueueApi(), loadEvents(), loadInspection(), loadRequestSink()].flatMap(
  ({ service }): MethodDefinition<object, object>[] => Object.values(service),
);

/** Of a stream of posts; others have no results. */
interface Response {
  readonly results?: readonly { readonly status?: number; readonly message?: string }[];
}

export interface Outcome {
  readonly code: number;
  readonly details: string;
}

const OK: Outcome = { code: status.OK, details: "" };
/** A stream whose headers have come, and that is not refused for so long after, is let in. */
const SILENT_MS = 400;
/** Nothing at all for so long says neither: it fails the test. */
const LONGEST_MS = 10_000;

/** Calls rpcs by their paths, with or without a token. Close it. */
export class AnyRpcClient {
  readonly #client: Client;

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure());
  }

  close(): void {
    this.#client.close();
  }

  /** What came of it; a stream that is let in, which its headers or a response say, is OK. Rejects when nothing comes. */
  call({ path, request }: Pick<Rpc, "path" | "request">, name: string, token?: string): Promise<Outcome> {
    const definition = definitions.find((one) => one.path === path);
    if (definition === undefined) throw new Error(`there is no rpc ${path}`);
    const { requestSerialize, responseDeserialize, requestStream, responseStream } = definition;
    const metadata = new Metadata();
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    const message = request(name);
    return new Promise((resolve, reject) => {
      const failed = (error: ServiceError): void => {
        if (error.code === status.DEADLINE_EXCEEDED) reject(new Error(`${path}: nothing came`, { cause: error }));
        else resolve({ code: error.code, details: error.details });
      };
      if (!responseStream) {
        const limits = { deadline: Date.now() + LONGEST_MS };
        const done = (error: ServiceError | null): void => (error === null ? resolve(OK) : failed(error));
        this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, metadata, limits, done);
        return;
      }
      const stream: ClientDuplexStream<object, Response> | ClientReadableStream<Response> = requestStream
        ? this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
        : this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, message, metadata);
      stream.once("error", failed);
      stream.once("end", () => resolve(OK));
      stream.on("data", (response: Response) => {
        const [first] = response.results ?? [];
        resolve(first === undefined ? OK : { code: first.status ?? 0, details: first.message ?? "" });
      });
      let timer = setTimeout(() => {
        reject(new Error(`${path}: nothing came within ${LONGEST_MS} ms`));
        stream.cancel();
      }, LONGEST_MS);
      stream.once("metadata", () => {
        clearTimeout(timer);
        const letIn = (): void => {
          resolve(OK);
          stream.cancel();
        };
        // Between the two, what has come while the process stood still is read.
        timer = setTimeout(() => {
          timer = setTimeout(letIn, SILENT_MS / 2);
        }, SILENT_MS / 2);
      });
      stream.once("close", () => clearTimeout(timer));
      if (stream instanceof Duplex) stream.write(message);
    });
  }
}
