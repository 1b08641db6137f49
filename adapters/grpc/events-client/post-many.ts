import { MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";
import { isPermanent, toCallFailure } from "./call-failure.js";
import type { PostEventOptions } from "./event.js";
import { type OutgoingPost, toOutgoingPost } from "./outgoing-post.js";
import { postOnce } from "./post-once.js";
import { type PostOutcome, postStreamTry } from "./post-stream-try.js";
import type { ServerLinks } from "./server-links.js";
import type { UnaryCallOptions } from "./unary-call.js";

/** One of many. */
export interface EventToPost extends Omit<PostEventOptions, "timeoutMs" | "signal"> {
  readonly body: unknown;
}

export interface PostManyResult {
  readonly postId: string;
  /** Undefined: the server has stored it. */
  readonly error: MessagingError | undefined;
}

const MOST = 100_000;
/** Where each post is a call of its own. */
const CALLS_AT_ONCE = 100;

/** Throws `INVALID_ARGUMENT` that names the first of the events that cannot be posted. */
export function toOutgoingPosts(
  events: readonly EventToPost[],
  from: { readonly clientId: string; readonly uuid: () => string },
): readonly OutgoingPost[] {
  if (!Array.isArray(events) || events.length > MOST) {
    throw new MessagingError("INVALID_ARGUMENT", `postMany: takes a list of at most ${MOST} events`);
  }
  return events.map(({ body, ...options }: EventToPost, index) => {
    try {
      return toOutgoingPost(body, options, from);
    } catch (error) {
      throw new MessagingError("INVALID_ARGUMENT", `postMany: event ${index}: ${errorText(error)}`, { cause: error });
    }
  });
}

/** Posts on their way together: each try is for those that are left. */
export class ManyPosts {
  readonly #posts: readonly OutgoingPost[];
  readonly #errors: (MessagingError | undefined)[];
  #left: readonly number[];

  constructor(posts: readonly OutgoingPost[]) {
    this.#posts = posts;
    this.#errors = posts.map(() => undefined);
    this.#left = posts.map((_, index) => index);
  }

  /** Rejects with the last failure of those that are still left. */
  async try(links: ServerLinks, limits: Omit<UnaryCallOptions, "what">): Promise<void> {
    const link = links.current();
    const posts = this.#left.flatMap((index) => this.#posts[index] ?? []);
    const streamed = link.hasEventsApi ? await postStreamTry(link, posts, limits) : undefined;
    if (streamed === undefined) link.hasEventsApi = false;
    const outcomes = streamed ?? (await callEach(links, posts, limits));
    const left: number[] = [];
    let last: MessagingError | undefined;
    for (const [position, index] of this.#left.entries()) {
      const outcome = outcomes[position] ?? new MessagingError("INTERNAL", "post: there is no outcome");
      this.#errors[index] = outcome === "posted" ? undefined : outcome;
      if (outcome === "posted" || isPermanent(outcome)) continue;
      left.push(index);
      last = outcome;
    }
    this.#left = left;
    if (last === undefined) return;
    links.failed(link);
    throw last;
  }

  /** Whatever is left has failed with this. */
  fail(error: MessagingError): void {
    for (const index of this.#left) this.#errors[index] = error;
    this.#left = [];
  }

  get results(): readonly PostManyResult[] {
    return this.#posts.map(({ postId }, index) => ({ postId, error: this.#errors[index] }));
  }
}

async function callEach(
  links: ServerLinks,
  posts: readonly OutgoingPost[],
  limits: Omit<UnaryCallOptions, "what">,
): Promise<readonly PostOutcome[]> {
  const outcomes: PostOutcome[] = posts.map(() => "posted");
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < posts.length) {
      const index = next;
      next += 1;
      const post = posts[index];
      if (post === undefined) return;
      try {
        await postOnce(links, post, limits);
      } catch (error) {
        outcomes[index] = toCallFailure(error, "post");
      }
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, work));
  return outcomes;
}
