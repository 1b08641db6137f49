import { MessagingError } from "../../errors/messaging-error.js";
import { errorText } from "../../util/error-text.js";

/** What a sink or context says has gone wrong, whatever that is. */
export function asMessagingError(error: unknown): MessagingError {
  return MessagingError.is(error) ? error : new MessagingError("REMOTE", errorText(error), { cause: error });
}
