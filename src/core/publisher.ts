import type { Address, WireMessage } from "../driver/driver.js";
import { MessagingError } from "../errors/messaging-error.js";
import { backoffMs } from "../util/backoff.js";
import type { CoreContext } from "./core-context.js";
import { Limit, pause } from "./limit.js";
import { RECONNECT } from "./managed-connection.js";

export interface PublishBounds {
  /** For the errors: "publish to orders". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Again after a lost link, under the same messageId. */
  readonly resend: boolean;
}

/**
 * Hands one message to the driver, within bounds. Resolves with the number of sends that it took. Concurrent calls keep
 * their order, also when they are sent again together.
 */
export async function publishWithin(
  context: CoreContext,
  to: Address,
  message: WireMessage,
  { what, timeoutMs, signal, resend }: PublishBounds,
): Promise<number> {
  const { connection, clock, driver, room } = context;
  if (connection.state === "closed") throw new MessagingError("CLOSED", `${what}: this Messaging is closed`);
  let lastError: MessagingError | undefined;
  const limit = new Limit({
    clock,
    what,
    timeoutMs,
    signal,
    ended: [connection.ended],
    lastError: () => lastError,
  });
  const bytes = message.body.byteLength;
  let isInside = false;
  let sends = 0;
  try {
    limit.throwIfOver();
    if (!room.tryEnter(bytes)) await room.enter(bytes, limit);
    isInside = true;
    for (;;) {
      const link = connection.link ?? (await connection.acquire(limit));
      sends += 1;
      try {
        await limit.race(link.connection.publish(to, message));
        return sends;
      } catch (error) {
        limit.throwIfOver();
        lastError = driver.toMessagingError(error);
        if (lastError.code !== "UNAVAILABLE" || !resend) throw lastError;
        // With the link gone, all that wait go on together, in order, when the next one is up. Only a failure on a link
        // that holds needs a wait here; without jitter, so that the order is kept.
        if (!link.lost.hasEnded) await pause(clock, backoffMs(sends, 0, RECONNECT), limit);
      }
    }
  } catch (error) {
    if (sends === 0 || !MessagingError.is(error, "UNAVAILABLE")) throw error;
    throw new MessagingError("UNAVAILABLE", `${error.message}; it may have arrived all the same`, { cause: error });
  } finally {
    limit.dispose();
    if (isInside) room.leave(bytes);
  }
}
