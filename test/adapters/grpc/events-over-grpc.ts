import { type ClientReadableStream, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import {
  createGrpcGateway,
  createQueueApiClient,
  type EventMsg,
  type EventMsg__Output,
} from "../../../adapters/grpc/index.js";
import type { ClientSink, ClientStream, EventsUnderTest } from "../../../src/contract/index.js";
import {
  createEventService,
  type DeliveredEvent,
  type EventServiceOptions,
  type OutgoingEvent,
} from "../../../src/events/index.js";
import { type ErrorCode, MessagingError } from "../../../src/index.js";

const CODES: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.INVALID_ARGUMENT]: "INVALID_ARGUMENT",
  [status.RESOURCE_EXHAUSTED]: "TOO_LARGE",
  [status.UNAVAILABLE]: "UNAVAILABLE",
  [status.UNIMPLEMENTED]: "UNSUPPORTED",
};

function toMessagingError({ code, details }: ServiceError): MessagingError {
  return new MessagingError(CODES[code] ?? "UNKNOWN", details);
}

/** An event service behind a gateway, as a client of `queue.QueueApi` sees it. */
export async function eventsOverGrpc(options: EventServiceOptions): Promise<EventsUnderTest> {
  const events = createEventService(options);
  const gateway = createGrpcGateway({ events, listen: "127.0.0.1:0" });
  const client = createQueueApiClient(await gateway.start());
  let closing: Promise<void> | undefined;

  const unary = (call: (callback: (error: ServiceError | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      call((error) => (error === null ? resolve() : reject(toMessagingError(error))));
    });

  return {
    post(event, { postId } = {}) {
      const metadata = new Metadata();
      if (postId !== undefined) metadata.set("fairlead-post-id", postId);
      return unary((callback) => client.PostEvent(toMessage(event), metadata, callback));
    },
    subscribe(clientId, sink, { signal }) {
      const call = client.SubscribeEvents({ clientId });
      signal?.addEventListener("abort", () => call.cancel(), { once: true });
      return streamOf(call, sink);
    },
    ack: (userToken, success) => unary((callback) => client.Ack({ userToken, success }, callback)),
    async closeClient(clientId) {
      await unary((callback) => client.Close({ clientId }, callback));
      // The library tells of the end of a stream a turn later than of an answer that came after it.
      await new Promise((resolve) => setImmediate(resolve));
    },
    close(closeOptions) {
      closing ??= (async () => {
        await gateway.close(closeOptions);
        await events.close(closeOptions);
        client.close();
      })();
      return closing;
    },
  };
}

/** Resolves once the server has the subscription, or has refused it. */
function streamOf(call: ClientReadableStream<EventMsg__Output>, sink: ClientSink): Promise<ClientStream> {
  return new Promise((resolve) => {
    const closed = new Promise<Error | undefined>((resolveClosed) => {
      let isOver = false;
      const over = (error?: Error): void => {
        if (isOver) return;
        isOver = true;
        sink.end();
        resolveClosed(error);
      };
      call.on("error", (error: ServiceError) => over(error.code === status.CANCELLED ? undefined : error));
      call.on("end", () => over());
    });
    call.on("data", (message: EventMsg__Output) => void sink.deliver(toDelivered(message)));
    call.once("metadata", () => resolve({ closed }));
    void closed.then(() => resolve({ closed }));
  });
}

function toMessage(event: OutgoingEvent): EventMsg {
  const { body, effectiveDate, clientId = "", userToken = "", searchKey1 = 0n, searchKey2 = 0n } = event;
  return {
    clientId,
    userToken,
    eventJson: Buffer.from(body).toString("utf8"),
    searchKey1: String(searchKey1),
    searchKey2: String(searchKey2),
    effectiveDate:
      effectiveDate === undefined ? null : { seconds: String(effectiveDate.seconds), nanos: effectiveDate.nanos },
  };
}

/** The wire does not carry the number of the attempt. */
function toDelivered({ eventJson, effectiveDate, ...message }: EventMsg__Output): DeliveredEvent {
  return {
    body: Buffer.from(eventJson, "utf8"),
    clientId: message.clientId,
    searchKey1: BigInt(message.searchKey1),
    searchKey2: BigInt(message.searchKey2),
    userToken: message.futureUserToken,
    ackToken: message.userToken,
    attempt: 0,
    effectiveDate:
      effectiveDate === null ? undefined : { seconds: Number(effectiveDate.seconds), nanos: effectiveDate.nanos },
  };
}
