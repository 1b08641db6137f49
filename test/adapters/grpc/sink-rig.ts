import {
  createGrpcGateway,
  createSinkClient,
  type GrpcOptions,
  type SinkClient,
  type Sinks,
} from "../../../adapters/grpc/index.js";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createEventService } from "../../../src/events/index.js";
import {
  type Clock,
  createMessaging,
  type Gateway,
  MessagingError,
  type RequestContext,
  type RequestMessage,
  type RequestSink,
  type ResponseStream,
  sinkOf,
} from "../../../src/index.js";
import { until } from "./rig.js";

export const LONG_MS = 60_000;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (body: Uint8Array): string => new TextDecoder().decode(body);

/** A gateway that serves these sinks on a free loopback port, and its clients. Close it, whatever happened. */
export class SinkRig {
  readonly gateway: Gateway;
  address = "";
  readonly #clients: SinkClient[] = [];
  readonly #closeRest: () => Promise<void>;

  constructor(sinks: Sinks, grpc: GrpcOptions & { readonly clock?: Clock } = {}) {
    const messaging = createMessaging({ driver: memoryDriver({ broker: memoryBroker() }) });
    const events = createEventService({ messaging });
    this.gateway = createGrpcGateway({ listen: "127.0.0.1:0", ...grpc, events, sinks });
    this.#closeRest = async () => {
      await events.close({ drainMs: 0 });
      await messaging.close({ drainMs: 0 });
    };
  }

  static async start(sinks: Sinks, grpc: GrpcOptions & { readonly clock?: Clock } = {}): Promise<SinkRig> {
    const rig = new SinkRig(sinks, grpc);
    rig.address = await rig.gateway.start();
    return rig;
  }

  client(): SinkClient {
    const client = createSinkClient({ address: this.address });
    this.#clients.push(client);
    return client;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.gateway.close({ drainMs: 0 });
    await this.#closeRest();
  }
}

/** One call as the sink saw it. */
export interface Seen {
  readonly request: RequestMessage<Uint8Array>;
  readonly context: RequestContext;
}

/** A sink that leaves its calls to the test. */
export class Recorder implements RequestSink {
  readonly calls: Seen[] = [];
  readonly aborts: string[] = [];

  signal(request: RequestMessage<Uint8Array>, context: RequestContext): void {
    this.calls.push({ request, context });
  }

  abort(callId: string): void {
    this.aborts.push(callId);
  }

  async next(index = 0): Promise<Seen> {
    await until(() => this.calls.length > index, `call ${index} at the sink`);
    const call = this.calls[index];
    if (call === undefined) throw new Error("gone");
    return call;
  }
}

/** Answers with what was asked. */
export const echo: RequestSink = sinkOf(async function* ({ body, headers, contentType }) {
  yield { body, headers, contentType };
});

/** Answers with as many responses of so many bytes: "count size". */
export const numbers: RequestSink = sinkOf(async function* ({ body }) {
  const [count = 0, size = 1] = textOf(body).split(" ").map(Number);
  for (let index = 0; index < count; index += 1) {
    const response = Buffer.alloc(size);
    response.write(String(index));
    yield { body: response };
  }
});

/** All that came, and how it ended. */
export async function read(
  stream: ResponseStream<Uint8Array>,
): Promise<{ readonly texts: string[]; readonly error: MessagingError | undefined }> {
  const texts: string[] = [];
  try {
    for await (const { body } of stream) texts.push(textOf(body));
  } catch (error) {
    if (!MessagingError.is(error)) throw error;
    return { texts, error };
  }
  return { texts, error: undefined };
}
