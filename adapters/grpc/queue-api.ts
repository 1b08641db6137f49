import type { Metadata } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import { EventStream } from "./event-stream.js";
import type { QueueApiHandlers } from "./gen/queue/QueueApi.js";
import { toOutgoingEvent } from "./mapping.js";
import type { StrictRequests } from "./strict-requests.js";
import type { SubscriberStreams } from "./subscriber-streams.js";
import type { UnaryCalls } from "./unary-calls.js";

export interface QueueApiOptions {
  readonly events: EventService;
  readonly requests: StrictRequests;
  readonly unary: UnaryCalls;
  readonly streams: SubscriberStreams;
}

/** The metadata of a post that names it, so that it may be sent again. */
const POST_ID_KEY = "fairlead-post-id";

/** queue.QueueApi on an event service. */
export class QueueApi {
  readonly #options: QueueApiOptions;
  #isDraining = false;

  constructor(options: QueueApiOptions) {
    this.#options = options;
  }

  handlers(): QueueApiHandlers {
    const { events, unary, streams, requests } = this.#options;
    return {
      PostEvent: unary.handler(async ({ request, metadata }) => {
        if (this.#isDraining) throw new MessagingError("CLOSED", "this server is shutting down; post to another");
        await events.post(toOutgoingEvent(request), { postId: postIdOf(metadata) });
        return {};
      }),
      SubscribeEvents: (call) => {
        const { clientId } = call.request;
        const stream = new EventStream(call);
        streams.open(stream, clientId, () => {
          requests.check(call.request);
          return events.subscribe(clientId, stream, { signal: stream.ending.gone });
        });
      },
      Ack: unary.handler(async ({ request }) => {
        await events.ack(request.userToken, request.success);
        return {};
      }),
      Close: unary.handler(async ({ request: { clientId } }) => {
        await events.closeClient(clientId);
        await streams.endDrained(clientId);
        return {};
      }),
    };
  }

  /** From now on posts are refused. */
  drain(): void {
    this.#isDraining = true;
  }
}

function postIdOf(metadata: Metadata): string | undefined {
  const values = metadata.get(POST_ID_KEY);
  if (values.length > 1) throw new MessagingError("INVALID_ARGUMENT", `there is more than one ${POST_ID_KEY}`);
  const [value] = values;
  return value === undefined ? undefined : String(value);
}
