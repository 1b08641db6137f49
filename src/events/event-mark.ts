import type { Random } from "../ports/clock.js";
import type { MessageHeaders } from "../ports/message.js";

/** Goes with the event through retries, dead letters and replays. */
export const MARK_HEADER = "event-mark";

const MARK = /^[0-9a-f]{32}$/;

/** New for each post: tells its event from any other, also of the same messageId, and cannot be guessed. */
export function newMark(random: Random): string {
  return random.uuid().replaceAll("-", "");
}

/** Empty for a message that no event service has posted. */
export function markOf(headers: MessageHeaders): string {
  const mark = headers[MARK_HEADER] ?? "";
  return isMark(mark) ? mark : "";
}

export function isMark(text: string): boolean {
  return MARK.test(text);
}

/** The mark in what `identityOf` made. */
export function markOfIdentity(identity: string): string {
  return identity.slice(0, identity.indexOf("."));
}

/** Undefined: the event cannot be told from others for certain, so that nothing may be done to it by name. */
export function identityOf(messageId: string, mark: string): string | undefined {
  return messageId === "" || mark === "" ? undefined : `${mark}.${messageId}`;
}
