import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { MessageHeaders, Priority } from "../../ports/message.js";
import type { ProtocolVersion, RequestMessage } from "../../ports/request-sink.js";
import { withoutReserved } from "../wire-message.js";
import { decodeBody } from "./body-codecs.js";
import { DEFAULT_WINDOW_BYTES, MAX_WINDOW } from "./call-options.js";
import { FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import type { ResolvedServeOptions } from "./sink-options.js";

/** What a request frame says, checked. */
export interface IncomingRequest {
  readonly id: string;
  readonly clientId: string;
  readonly callId: string;
  /** Absent: one-way. */
  readonly replyTo: string | undefined;
  readonly version: ProtocolVersion;
  readonly timeoutMs: number;
  readonly allowKeepAlive: boolean;
  readonly isIdempotent: boolean;
  /** The end may be told by the last response. */
  readonly hasJointEnd: boolean;
  /** 0: one-way. */
  readonly window: number;
  readonly windowBytes: number;
  /** Of a body that is to be uploaded; undefined when it is here. */
  readonly totalBytes: number | undefined;
  readonly priority: Priority;
  readonly headers: MessageHeaders;
  readonly contentType: string;
  readonly timestamp: number;
}

/** What outlives a call of its request. */
export type KeptRequest = Pick<IncomingRequest, "id" | "clientId" | "version">;

/** Throws what is to be told to the caller: `MALFORMED`, `UNSUPPORTED`, `TOO_LARGE`. */
export function readRequest(frame: WireMessage, priority: Priority, options: ResolvedServeOptions): IncomingRequest {
  const { type, correlationId, replyTo, headers, contentType, body } = frame;
  if (type !== FRAME.signal && type !== FRAME.channelRequest) throw malformed(`a frame of type ${type ?? "none"}`);
  const clientId = headers[FRAME_HEADER.client];
  if (correlationId === undefined || correlationId === "") throw malformed("a request without a correlation id");
  if (clientId === undefined || clientId === "") throw malformed("a request without a ClientID");
  const version = versionOf(headers, options.protocolVersion);
  const timeoutMs = numberIn(headers, FRAME_HEADER.timeoutMs, 1);
  if (timeoutMs === undefined) throw malformed("a request without a time-out");
  const isUpload = type === FRAME.channelRequest;
  const totalBytes = isUpload ? numberIn(headers, FRAME_HEADER.totalBytes, 1) : undefined;
  if (isUpload && (totalBytes === undefined || replyTo === undefined)) {
    throw malformed("a request for an upload without its size or a reply address");
  }
  if ((totalBytes ?? body.byteLength) > options.maxRequestBytes) {
    throw new MessagingError(
      "TOO_LARGE",
      `the request has more than the ${options.maxRequestBytes} bytes allowed here`,
    );
  }
  return {
    id: correlationId,
    clientId,
    callId: headers[FRAME_HEADER.callId] ?? correlationId,
    replyTo,
    version,
    timeoutMs,
    allowKeepAlive: headers[FRAME_HEADER.allowKeepAlive] !== "false",
    isIdempotent: headers[FRAME_HEADER.idempotent] === "true",
    hasJointEnd: version === "V5" && headers[FRAME_HEADER.jointEnd] === "true",
    window: replyTo === undefined ? 0 : (numberIn(headers, FRAME_HEADER.window, 1, MAX_WINDOW) ?? MAX_WINDOW),
    windowBytes: numberIn(headers, FRAME_HEADER.windowBytes, 1) ?? DEFAULT_WINDOW_BYTES,
    totalBytes,
    priority,
    headers: withoutReserved(headers),
    contentType,
    timestamp: numberIn(headers, FRAME_HEADER.timestamp) ?? frame.timestamp,
  };
}

/** Throws `MALFORMED` for a body that no codec reads. */
export function toRequestMessage(
  request: IncomingRequest,
  body: Uint8Array,
  { codecs }: ResolvedServeOptions,
): RequestMessage<unknown> {
  const { callId, headers, contentType, priority, isIdempotent, timestamp } = request;
  const decoded = decodeBody(codecs, { bytes: body, contentType });
  return { callId, body: decoded, headers, contentType, priority, idempotent: isIdempotent, timestamp };
}

/** The newest that both sides speak. Without a version it is the oldest. */
function versionOf(headers: MessageHeaders, newest: ProtocolVersion): ProtocolVersion {
  const asked = headers[FRAME_HEADER.version] ?? "V4";
  const known: readonly string[] = newest === "V5" ? ["V4", "V5"] : ["V4"];
  if (!known.includes(asked)) {
    const text = `protocol version ${JSON.stringify(asked.slice(0, 20))} is not spoken here; known: ${known.join(", ")}`;
    throw new MessagingError("UNSUPPORTED", text);
  }
  if (asked === "V5") return "V5";
  // A maximum that is not known is beyond what is known.
  const mayBeNewer = headers[FRAME_HEADER.maxVersion] !== undefined && headers[FRAME_HEADER.maxVersion] !== "V4";
  return mayBeNewer && newest === "V5" ? "V5" : "V4";
}

function malformed(text: string): MessagingError {
  return new MessagingError("MALFORMED", `malformed: ${text}`);
}
