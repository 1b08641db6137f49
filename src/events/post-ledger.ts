import { createHash } from "node:crypto";
import { MessagingError } from "../errors/messaging-error.js";
import type { Clock } from "../ports/clock.js";
import { onAbort } from "../util/abort.js";
import { textFault } from "./event-message.js";
import { ExpiringMap } from "./expiring-map.js";

const MAX_POSTS = 100_000;
/** Readable where messages are looked at; the rest is hashed. Two forms, so that no post id is another's hash. */
const PLAIN = /^[\x21-\x7e]{1,200}$/;

/** Throws `INVALID_ARGUMENT` for what is no post id. */
export function checkPostId(postId: unknown): void {
  const fault = postId === "" ? "the post id must not be empty" : textFault("the post id", postId);
  if (fault !== undefined) throw new MessagingError("INVALID_ARGUMENT", fault);
}

/** The same for the same post id on every server, and at most 255 bytes. */
export function messageIdOf(postId: string): string {
  if (PLAIN.test(postId)) return `post:${postId}`;
  return `post-sha256:${createHash("sha256").update(postId).digest("hex")}`;
}

export interface PostLedgerOptions {
  readonly clock: Clock;
  readonly memoryMs: number;
}

/** A post that was the first under its id. */
export interface FirstPost {
  readonly postId: string;
  /** Undefined: stored. */
  outcome: Promise<void> | undefined;
}

const STORED = Promise.resolve();

/** The post ids of late, and what became of each. */
export class PostLedger {
  readonly #posts: ExpiringMap<string, FirstPost>;

  constructor({ clock, memoryMs }: PostLedgerOptions) {
    this.#posts = new ExpiringMap({ clock, memoryMs, limit: MAX_POSTS });
  }

  /** Undefined: this is the first. Otherwise how the first settles. */
  find(postId: string): Promise<void> | undefined {
    const post = this.#posts.get(postId);
    return post === undefined ? undefined : (post.outcome ?? STORED);
  }

  /** The first post under its id is on its way. It goes on when its caller does not wait any more: others may. */
  begin(post: FirstPost): void {
    this.#posts.set(post.postId, post);
  }

  stored(post: FirstPost): void {
    post.outcome = undefined;
  }

  failed(post: FirstPost): void {
    // Its own entry may have expired, and another post have come in its place.
    if (this.#posts.get(post.postId) === post) this.#posts.delete(post.postId);
  }
}

/** As the promise, or `ABORTED` once the signal aborts; the promise goes on. */
export function unlessAborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () =>
      reject(new MessagingError("ABORTED", "post: aborted by its signal", { cause: signal.reason })),
    );
    promise.then(resolve, reject).finally(forget);
  });
}
