import { MessagingError } from "../../src/errors/messaging-error.js";
import type { EventService } from "../../src/events/index.js";
import type { Clock } from "../../src/ports/clock.js";
import { onAbort } from "../../src/util/abort.js";
import { toEventPost, toWireOutcome } from "./events-mapping.js";
import type { EventsHandlers } from "./gen/fairlead/v1/Events.js";
import type { CallAdmission } from "./limits/call-admission.js";
import { PostRoom } from "./post-room.js";
import { PostStream } from "./post-stream.js";
import { callerOf, hostKey, hostOf } from "./security/caller.js";
import type { StrictRequests } from "./strict-requests.js";
import { SubscribeSession } from "./subscribe-session.js";
import type { DrainOptions, SubscriberStreams } from "./subscriber-streams.js";
import type { UnaryCalls } from "./unary-calls.js";
import { within } from "./within.js";

export interface EventsApiOptions {
  readonly events: EventService;
  readonly requests: StrictRequests;
  readonly clock: Clock;
  readonly unary: UnaryCalls;
  readonly streams: SubscriberStreams;
  /** Undefined: clients post as fast as they can. */
  readonly admission?: CallAdmission | undefined;
}

/** fairlead.v1.Events on an event service. */
export class EventsApi {
  readonly #options: EventsApiOptions;
  readonly #room = new PostRoom();
  readonly #postStreams = new Set<PostStream>();
  #isDraining = false;

  constructor(options: EventsApiOptions) {
    this.#options = options;
  }

  handlers(): EventsHandlers {
    const { events, unary, streams, requests, clock, admission } = this.#options;
    return {
      Post: unary.handler(async ({ request }) => {
        if (this.#isDraining) throw new MessagingError("CLOSED", "this server is shutting down; post to another");
        if (request.event === null) throw new MessagingError("INVALID_ARGUMENT", "there is no event in the request");
        const { event, postId } = toEventPost(request.event);
        await events.post(event, { postId });
        return {};
      }),
      PostEvents: (call) => {
        const caller = callerOf(call.metadata);
        const stream = new PostStream({
          call,
          events,
          requests,
          room: this.#room,
          isDraining: () => this.#isDraining,
          clock,
          rate: caller && admission?.accountOf(caller).postRate,
          client: caller?.key ?? hostKey(hostOf(call.getPeer())),
        });
        this.#postStreams.add(stream);
        onAbort(stream.ending.gone, () => this.#postStreams.delete(stream));
        stream.start();
      },
      Subscribe: (call) => new SubscribeSession({ ...this.#options, call }).start(),
      Ack: unary.handler(async ({ request }) => {
        for (const ack of request.acks) requests.check(ack);
        const outcomes = await Promise.all(request.acks.map(({ ackToken, success }) => events.ack(ackToken, success)));
        const results = request.acks.map(({ ackToken }, index) => ({
          ackToken,
          outcome: toWireOutcome(outcomes[index] ?? "unconfirmed"),
        }));
        return { results };
      }),
      Close: unary.handler(async ({ request: { clientId } }) => {
        await events.closeClient(clientId);
        await streams.endDrained(clientId);
        return {};
      }),
    };
  }

  /** Refuses posts, and resolves when those under way are settled, or the time is over. */
  async drain({ drainMs, signal }: DrainOptions): Promise<void> {
    this.#isDraining = true;
    await within(this.#options.clock, drainMs, this.#room.idle(), signal);
  }

  /** Ends the streams of posts that are still open. */
  async endStreams(): Promise<void> {
    const error = new MessagingError("UNAVAILABLE", "this server is shut down; post the rest to another");
    await Promise.all([...this.#postStreams].map((stream) => stream.fail(error)));
  }
}
