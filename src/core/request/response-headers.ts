import type { MessagingError } from "../../errors/messaging-error.js";
import type { CallHeaders } from "./call-headers.js";
import { checksumOf } from "./fragments.js";
import { encodeError, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { KeptRequest } from "./incoming-request.js";
import type { ReplyParts } from "./reply-sender.js";
import type { OutgoingBody } from "./sent-responses.js";

type Headers = Record<string, string>;

/** `isLast`: it stands for the end of the call, too. */
export function responseHeaders(
  call: CallHeaders,
  { version }: KeptRequest,
  sequence: number,
  { headers }: OutgoingBody,
  isLast: boolean,
): Headers {
  const own = call.make(headers);
  // Numbers are what makes the difference: without them nothing may be missing.
  if (version === "V5") own[FRAME_HEADER.sequence] = String(sequence);
  if (isLast) own[FRAME_HEADER.totalResponses] = String(sequence);
  return own;
}

/** Of a response that goes in pieces. */
export function pieceHeaders(call: CallHeaders, sequence: number, piece: number): Headers {
  const own = call.make(undefined);
  own[FRAME_HEADER.sequence] = String(sequence);
  own[FRAME_HEADER.fragment] = String(piece);
  return own;
}

/** All its pieces were sent. */
export function lastPieceHeaders(
  call: CallHeaders,
  sequence: number,
  { bytes, headers }: OutgoingBody,
  pieces: number,
): Headers {
  const own = call.make(headers);
  own[FRAME_HEADER.sequence] = String(sequence);
  own[FRAME_HEADER.fragments] = String(pieces);
  own[FRAME_HEADER.checksum] = checksumOf(bytes);
  return own;
}

/** A clean end, after so many responses. */
export function endFrame(call: CallHeaders, { id }: KeptRequest, responses: number): ReplyParts {
  const headers = call.make(undefined);
  headers[FRAME_HEADER.totalResponses] = String(responses);
  return { type: FRAME.end, correlationId: id, headers };
}

export function errorFrame(
  call: CallHeaders,
  { id }: KeptRequest,
  error: MessagingError,
  { isRefusal, errorStacks }: { readonly isRefusal: boolean; readonly errorStacks: boolean },
): ReplyParts {
  const headers = call.make(undefined);
  if (isRefusal) headers[FRAME_HEADER.refused] = "true";
  const body = encodeError(error, errorStacks);
  return { type: FRAME.error, correlationId: id, headers, contentType: JSON_TYPE, body };
}
