import { isUtf8 } from "node:buffer";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { errorText } from "../../../src/util/error-text.js";
import type { NewEvent } from "../gen/fairlead/v1/NewEvent.js";
import type { Timestamp } from "../gen/google/protobuf/Timestamp.js";
import type { EventMsg } from "../gen/queue/EventMsg.js";
import type { PostEventOptions } from "./event.js";

const MAX_TEXT_BYTES = 256;

/** One event on its way, the same in all its tries. */
export interface OutgoingPost {
  readonly postId: string;
  readonly clientId: string;
  readonly body: Uint8Array;
  readonly userToken: string;
  readonly searchKey1: string;
  readonly searchKey2: string;
  readonly effectiveDate: Timestamp | null;
}

/** Throws `INVALID_ARGUMENT` that names all faults of what the caller gave. */
export function toOutgoingPost(
  body: unknown,
  { effectiveDate, searchKey1 = 0n, searchKey2 = 0n, token, postId }: PostEventOptions,
  { clientId, uuid }: { readonly clientId: string; readonly uuid: () => string },
): OutgoingPost {
  const faults: string[] = [];
  const id = postId ?? uuid();
  // It travels in a header.
  if (typeof id !== "string" || !/^[\x21-\x7e]{1,256}$/.test(id)) {
    faults.push(`postId must be 1 to ${MAX_TEXT_BYTES} visible ASCII characters without spaces`);
  }
  const userToken = token ?? id;
  if (typeof userToken !== "string" || Buffer.byteLength(userToken) > MAX_TEXT_BYTES) {
    faults.push(`token must be a text of at most ${MAX_TEXT_BYTES} bytes`);
  }
  const post = {
    postId: id,
    clientId,
    body: toBytes(body, faults),
    userToken,
    searchKey1: toKey("searchKey1", searchKey1, faults),
    searchKey2: toKey("searchKey2", searchKey2, faults),
    effectiveDate: toTimestamp(effectiveDate, faults),
  };
  if (faults.length > 0) throw new MessagingError("INVALID_ARGUMENT", `post: ${faults.join("; ")}`);
  return post;
}

export function toNewEvent({ body, ...rest }: OutgoingPost): NewEvent {
  // A view of the same bytes: the library encodes any other kind of array one number at a time.
  return { ...rest, body: Buffer.from(body.buffer, body.byteOffset, body.byteLength) };
}

/** Without the post id, which QueueApi takes beside the message. Throws `INVALID_ARGUMENT` for bytes that are no text. */
export function toQueueApiEvent({ postId: _, body, ...rest }: OutgoingPost): EventMsg {
  if (!isUtf8(body)) {
    throw new MessagingError("INVALID_ARGUMENT", "post: this server takes UTF-8 only, and the body is none");
  }
  return { ...rest, eventJson: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8") };
}

function toBytes(body: unknown, faults: string[]): Uint8Array {
  if (body instanceof Uint8Array) return body;
  try {
    const text: unknown = JSON.stringify(body);
    if (typeof text === "string") return Buffer.from(text, "utf8");
    faults.push(`the body has no JSON: it is ${typeof body}`);
  } catch (error) {
    faults.push(`the body has no JSON: ${errorText(error)}`);
  }
  return new Uint8Array();
}

function toKey(name: string, value: unknown, faults: string[]): string {
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return String(value);
  faults.push(`${name} must be a bigint from -2^63 to 2^63 - 1`);
  return "0";
}

function toTimestamp(date: Date | undefined, faults: string[]): Timestamp | null {
  if (date === undefined) return null;
  const ms = date instanceof Date ? date.getTime() : Number.NaN;
  if (Number.isNaN(ms)) {
    faults.push("effectiveDate must be a valid Date");
    return null;
  }
  const seconds = Math.floor(ms / 1_000);
  return { seconds: String(seconds), nanos: (ms - seconds * 1_000) * 1_000_000 };
}
