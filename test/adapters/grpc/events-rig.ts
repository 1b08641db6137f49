import {
  type Client,
  type ClientDuplexStream,
  credentials,
  Client as GrpcClient,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadEvents } from "../../../adapters/grpc/proto.js";
import { until } from "./rig.js";

export type EventsClient = InstanceType<ReturnType<typeof loadEvents>>;
type RequestOf<Call> = Call extends ClientDuplexStream<infer Request, infer _> ? Request : never;
type ResponseOf<Call> = Call extends ClientDuplexStream<infer _, infer Response> ? Response : never;
type PostRequest = RequestOf<ReturnType<EventsClient["PostEvents"]>>;
type PostResponse = ResponseOf<ReturnType<EventsClient["PostEvents"]>>;
type SubscribeResponse = ResponseOf<ReturnType<EventsClient["Subscribe"]>>;
export type NewEvent = NonNullable<PostRequest["events"]>[number];
type DeliveredEvent = SubscribeResponse["events"][number];
type AckResult = SubscribeResponse["acks"][number];

export const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

/** A generated client of fairlead.v1.Events with a connection of its own. */
export function eventsClient(address: string): EventsClient {
  return new (loadEvents())(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
}

/** Its rpc of this name hides the library's. */
export function disconnect(client: Client): void {
  GrpcClient.prototype.close.call(client);
}

export interface Result {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** A PostEvents call and what it was told, by sequence. */
export class PostCall {
  readonly results = new Map<number, Result>();
  readonly call: ReturnType<EventsClient["PostEvents"]>;
  responses = 0;
  /** "OK" at the end of the stream, otherwise the error. */
  outcome: "OK" | ServiceError | undefined;

  constructor(client: EventsClient) {
    this.call = client.PostEvents();
    this.call.on("data", ({ results }: PostResponse) => {
      this.responses += 1;
      for (const { first, last, ...result } of results) {
        for (let sequence = Number(first); sequence <= Number(last); sequence += 1) {
          if (this.results.has(sequence)) throw new Error(`a second result for ${sequence}`);
          this.results.set(sequence, result);
        }
      }
    });
    this.call.on("error", (error: ServiceError) => {
      this.outcome = error;
    });
    this.call.on("end", () => {
      this.outcome ??= "OK";
    });
  }

  post(...events: readonly NewEvent[]): void {
    this.call.write({ events: [...events] });
  }

  status(sequence: number): number | undefined {
    return this.results.get(sequence)?.status;
  }

  /** Half-closes, and waits for the end. */
  async finish(): Promise<void> {
    this.call.end();
    await until(() => this.outcome !== undefined, "the end of PostEvents");
  }
}

/** A Subscribe call and what came through it. */
export class EventsReader {
  readonly received: DeliveredEvent[] = [];
  readonly acks: AckResult[] = [];
  readonly call: ReturnType<EventsClient["Subscribe"]>;
  messages = 0;
  headersCame = false;
  outcome: "OK" | ServiceError | undefined;

  constructor(client: EventsClient, onEvent: (event: DeliveredEvent, reader: EventsReader) => void = () => {}) {
    this.call = client.Subscribe();
    this.call.on("metadata", () => {
      this.headersCame = true;
    });
    this.call.on("data", ({ events, acks }: SubscribeResponse) => {
      this.messages += 1;
      this.acks.push(...acks);
      for (const event of events) {
        this.received.push(event);
        onEvent(event, this);
      }
    });
    this.call.on("error", (error: ServiceError) => {
      this.outcome = error;
    });
    this.call.on("end", () => {
      this.outcome ??= "OK";
    });
  }

  get bodies(): string[] {
    return this.received.map(({ body }) => body.toString("utf8"));
  }

  ack(ackToken: string, success = true): void {
    this.call.write({ acks: [{ ackToken, success }] });
  }
}

/** One unary call. */
export function ask<Request, Response>(
  method: (request: Request, done: (error: ServiceError | null, response?: Response) => void) => unknown,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, (error, response) =>
      error === null && response !== undefined ? resolve(response) : reject(error ?? new Error("no response")),
    );
  });
}
