import { createHash } from "node:crypto";
import type { NodeId } from "../ports/broadcast.js";
import { isMark } from "./event-mark.js";
import { textFault } from "./event-message.js";

/** The same for all tokens of one event service. */
export interface AckTokenOrigin {
  /** Whom to ask. */
  readonly nodeId: NodeId;
  /** Of the event service that gave it: a node may have the name of one that is gone. */
  readonly incarnation: string;
  /** `queueTag` of the queue that the event came from. */
  readonly queueTag: string;
}

export interface AckTokenParts extends AckTokenOrigin {
  /** Of the event; empty for one that was not posted by an event service. */
  readonly mark: string;
  /** Of the event; empty for one that is not short enough for a token. */
  readonly messageId: string;
}

/** With all parts at their longest it is shorter. */
const MAX_TOKEN_BYTES = 512;
const TAG_LENGTH = 8;
const PLAIN = /^[\x20-\x7e]{1,200}$/;
const ORIGIN = /^[^.]{1,64}\.([^.]{1,64})\.([^.]{1,64})\.(\d{1,3})\./;

/** Stands for the queue in tokens: an event of another queue may have the same messageId. */
export function queueTag(queue: string): string {
  return createHash("sha256").update(queue).digest("base64url").slice(0, TAG_LENGTH);
}

/** All but what differs from token to token. */
export function ackTokenStem({ nodeId, incarnation, queueTag: tag }: AckTokenOrigin): string {
  return `${incarnation}.${tag}.${nodeId.length}.${nodeId}.`;
}

/**
 * Opaque to clients, at most 512 bytes. The nonce makes it new for each attempt, and is what the server that gave it goes
 * by. Without that server the event's mark is: 122 random bits, that only those know who have been handed the event.
 */
export function formatAckToken(nonce: string, stem: string, mark: string, messageId: string): string {
  return `${nonce}.${stem}${mark}.${isPlain(messageId) ? messageId : ""}`;
}

/** Undefined: no server writes this. */
export function parseAckToken(token: string): AckTokenParts | undefined {
  if (typeof token !== "string" || Buffer.byteLength(token) > MAX_TOKEN_BYTES) return undefined;
  const origin = ORIGIN.exec(token);
  if (origin === null) return undefined;
  const [head, incarnation = "", tag = "", length = ""] = origin;
  const end = head.length + Number(length);
  const nodeId = token.slice(head.length, end);
  if (nodeId === "" || token[end] !== ".") return undefined;
  const markEnd = token.indexOf(".", end + 1);
  const mark = token.slice(end + 1, markEnd);
  if (markEnd < 0 || (mark !== "" && !isMark(mark))) return undefined;
  return { nodeId, incarnation, queueTag: tag, mark, messageId: token.slice(markEnd + 1) };
}

/** A foreign message may have any id: a long one is left out, and its ack then needs the server that delivered it. */
function isPlain(messageId: string): boolean {
  return PLAIN.test(messageId) || textFault("the id", messageId) === undefined;
}
