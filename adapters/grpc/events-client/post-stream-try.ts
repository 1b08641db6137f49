import type { ClientDuplexStream, Metadata, StatusObject } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { onAbort } from "../../../src/util/abort.js";
import type { PostEventsRequest } from "../gen/fairlead/v1/PostEventsRequest.js";
import type { PostEventsResponse__Output } from "../gen/fairlead/v1/PostEventsResponse.js";
import type { PostResult__Output } from "../gen/fairlead/v1/PostResult.js";
import { within } from "../within.js";
import { isMissing, toCallFailure } from "./call-failure.js";
import { type OutgoingPost, toNewEvent } from "./outgoing-post.js";
import type { ServerLink } from "./server-link.js";
import type { UnaryCallOptions } from "./unary-call.js";

/** Of one event: `"posted"`, or why not. */
export type PostOutcome = "posted" | MessagingError;

type Stream = ClientDuplexStream<PostEventsRequest, PostEventsResponse__Output>;

const MAX_EVENTS = 200;
const MAX_BYTES = 262_144;

/**
 * One try for all of the posts, on one stream: an outcome for each, in their order. Undefined: the server does not have
 * fairlead.v1.Events. Never rejects, and in bounded time.
 */
export async function postStreamTry(
  link: ServerLink,
  posts: readonly OutgoingPost[],
  { clock, timeoutMs, signal }: Omit<UnaryCallOptions, "what">,
): Promise<readonly PostOutcome[] | undefined> {
  const outcomes: (PostOutcome | undefined)[] = posts.map(() => undefined);
  let end: unknown;
  try {
    const metadata = await metadataWithin(link, { clock, timeoutMs, signal });
    const stream = link.eventsApi.PostEvents(metadata);
    const over = new Promise<void>((resolve) => {
      const cancelTimer = clock.setTimer(timeoutMs, () => {
        end ??= new MessagingError("TIMEOUT", `post: ${link.address} did not answer in time`);
        stream.cancel();
      });
      const forget = onAbort(signal, () => {
        end ??= signal.reason;
        stream.cancel();
      });
      stream.on("data", ({ results }: PostEventsResponse__Output) => {
        for (const result of results) note(outcomes, result);
      });
      // Told by the status too.
      stream.on("error", () => {});
      stream.once("status", (status: StatusObject) => {
        end ??= status;
        cancelTimer();
        forget();
        resolve();
      });
    });
    await writeAll(stream, posts, over);
    await over;
  } catch (error) {
    end = error;
  }
  if (isMissing(end)) return undefined;
  const failure = toCallFailure(end, "post");
  return outcomes.map((outcome) => outcome ?? failure);
}

/** A function that gives the token may hang. */
async function metadataWithin(
  link: ServerLink,
  { clock, timeoutMs, signal }: Omit<UnaryCallOptions, "what">,
): Promise<Metadata> {
  let metadata: Metadata | undefined;
  let failure: unknown;
  const asking = link.metadata().then(
    (given) => {
      metadata = given;
    },
    (error: unknown) => {
      failure = error;
    },
  );
  await within(clock, timeoutMs, asking, signal);
  if (signal.aborted) throw signal.reason;
  if (metadata !== undefined) return metadata;
  throw failure ?? new MessagingError("TIMEOUT", "post: there was no token in time");
}

function note(outcomes: (PostOutcome | undefined)[], result: PostResult__Output): void {
  const { status, code, message, retryable } = result;
  const outcome =
    status === 0
      ? "posted"
      : new MessagingError(MessagingError.isCode(code) ? code : "UNKNOWN", `post: ${message}`, { retryable });
  // What a server counts wrong must not make the list longer.
  const last = Math.min(Number(result.last), outcomes.length);
  for (let number = Math.max(1, Number(result.first)); number <= last; number += 1) outcomes[number - 1] ??= outcome;
}

async function writeAll(stream: Stream, posts: readonly OutgoingPost[], over: Promise<void>): Promise<void> {
  let isOver = false;
  void over.then(() => {
    isOver = true;
  });
  for (let next = 0; next < posts.length && !isOver; ) {
    const events: ReturnType<typeof toNewEvent>[] = [];
    for (let bytes = 0; next < posts.length && events.length < MAX_EVENTS; next += 1) {
      const post = posts[next];
      if (post === undefined) break;
      bytes += post.body.byteLength;
      if (events.length > 0 && bytes > MAX_BYTES) break;
      events.push(toNewEvent(post));
    }
    if (!stream.write({ events })) {
      const drained = new Promise<void>((resolve) => void stream.once("drain", resolve));
      await Promise.race([drained, over]);
    }
  }
  if (!isOver) stream.end();
}
