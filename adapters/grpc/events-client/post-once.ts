import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { isMissing, isPermanent } from "./call-failure.js";
import { type OutgoingPost, toNewEvent, toQueueApiEvent } from "./outgoing-post.js";
import type { ServerLink } from "./server-link.js";
import type { ServerLinks } from "./server-links.js";
import { type UnaryCallOptions, unaryCall } from "./unary-call.js";

/** What names a post to a server that stores each once; fairlead.v1.Events has it in the message. */
const POST_ID_KEY = "fairlead-post-id";

/** One try, at the server whose turn it is. Rejects with a `MessagingError`, and the turn is the next one's. */
export async function postOnce(
  links: ServerLinks,
  post: OutgoingPost,
  limits: Omit<UnaryCallOptions, "what">,
): Promise<void> {
  const link = links.current();
  const call = (start: (metadata: Metadata, done: Done) => { cancel(): void }): Promise<void> => {
    return unaryCall(link, { ...limits, what: "post" }, start);
  };
  try {
    if (link.hasEventsApi && (await isPosted(link, post, call))) return;
    const event = toQueueApiEvent(post);
    await call((metadata, done) => {
      metadata.set(POST_ID_KEY, post.postId);
      return link.queueApi.PostEvent(event, metadata, done);
    });
  } catch (error) {
    if (!MessagingError.is(error) || !isPermanent(error)) links.failed(link);
    throw error;
  }
}

type Done = (error: ServiceError | null) => void;
type Call = (start: (metadata: Metadata, done: Done) => { cancel(): void }) => Promise<void>;

/** False: the server does not have fairlead.v1.Events. */
async function isPosted(link: ServerLink, post: OutgoingPost, call: Call): Promise<boolean> {
  const event = toNewEvent(post);
  let isKnown = true;
  try {
    await call((metadata, done) =>
      link.eventsApi.Post({ event }, metadata, (error) => {
        isKnown = !isMissing(error);
        done(error);
      }),
    );
    return true;
  } catch (error) {
    if (isKnown) throw error;
    link.hasEventsApi = false;
    return false;
  }
}
