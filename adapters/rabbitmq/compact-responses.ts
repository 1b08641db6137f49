import type { WireMessage } from "../../src/driver/driver.js";
import { FRAME, FRAME_HEADER } from "../../src/driver/request-frames.js";
import type { AmqpMessage, AmqpProperties } from "./amqp.js";
import { COMPACT } from "./headers.js";
import { toWireMessage } from "./mapping.js";

/** Of a node's name: `appId` is a short string. */
const MAX_NODE = 64;
/** Inboxes that are remembered, and senders. */
const MAX_KNOWN = 10_000;
const BYTES = "application/octet-stream";
/** In the place of a number that is not told. */
const NONE = "-";

interface Sender {
  readonly version: string;
  readonly node: string;
}

/** Inboxes that have asked for compact responses in a request; all others get them as they are. */
export class CompactInboxes {
  readonly #addresses = new Set<string>();

  note({ properties: { appId, replyTo } }: AmqpMessage): void {
    if (appId !== COMPACT || replyTo === undefined || this.#addresses.has(replyTo)) return;
    // Those that are forgotten get plain ones until their next request.
    if (this.#addresses.size >= MAX_KNOWN) this.#addresses.clear();
    this.#addresses.add(replyTo);
  }

  has(address: string): boolean {
    return this.#addresses.has(address);
  }
}

/**
 * A response without a table of headers, which costs broker and client as much as all the rest of a small message: its sender
 * in `appId`, its numbers in `messageId`. Undefined for whatever says more than that, or less.
 */
export function toCompact(message: WireMessage): AmqpProperties | undefined {
  const { type, messageId, correlationId, replyTo, contentType, headers, persistent, expiresInMs } = message;
  if (type !== FRAME.response || messageId !== correlationId || persistent || expiresInMs !== undefined)
    return undefined;
  let version: string | undefined;
  let node: string | undefined;
  let sequence: string | undefined;
  let total = NONE;
  let aliveMs = NONE;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (name === FRAME_HEADER.version) version = value;
    else if (name === FRAME_HEADER.node) node = value;
    else if (name === FRAME_HEADER.sequence) sequence = value;
    else if (name === FRAME_HEADER.totalResponses) total = value;
    else if (name === FRAME_HEADER.aliveMs) aliveMs = value;
    else return undefined;
  }
  if (version === undefined || node === undefined || sequence === undefined || node.length > MAX_NODE) return undefined;
  return {
    headers: undefined,
    expiration: undefined,
    contentType: contentType === BYTES ? undefined : contentType,
    deliveryMode: undefined,
    correlationId,
    replyTo,
    messageId: total === NONE && aliveMs === NONE ? sequence : `${sequence} ${total} ${aliveMs}`,
    timestamp: undefined,
    type: undefined,
    appId: senderText(version, node),
  };
}

/** What came to an inbox, or was to. */
export function toFrame(received: AmqpMessage): WireMessage {
  const { appId, messageId, correlationId, replyTo, contentType } = received.properties;
  const sender = appId === undefined ? undefined : senderOf(appId);
  if (sender === undefined || messageId === undefined || correlationId === undefined) return toWireMessage(received);
  const { version, node } = sender;
  const { content } = received;
  return {
    messageId: correlationId,
    type: FRAME.response,
    correlationId,
    replyTo,
    contentType: contentType ?? BYTES,
    headers: toHeaders(version, node, messageId),
    body: new Uint8Array(content.buffer, content.byteOffset, content.byteLength),
    timestamp: Date.now(),
    expiresInMs: undefined,
    persistent: false,
  };
}

/** Whatever stands there: the numbers are looked at by whoever reads the response. */
function toHeaders(version: string, node: string, numbers: string): Record<string, string> {
  if (!numbers.includes(" ")) {
    return { [FRAME_HEADER.version]: version, [FRAME_HEADER.node]: node, [FRAME_HEADER.sequence]: numbers };
  }
  const [sequence = "", total = NONE, aliveMs = NONE] = numbers.split(" ");
  const headers: Record<string, string> = {
    [FRAME_HEADER.version]: version,
    [FRAME_HEADER.node]: node,
    [FRAME_HEADER.sequence]: sequence,
  };
  if (total !== NONE) headers[FRAME_HEADER.totalResponses] = total;
  if (aliveMs !== NONE) headers[FRAME_HEADER.aliveMs] = aliveMs;
  return headers;
}

/** The last that was written: one process mostly is one node. */
let lastVersion = "";
let lastNode = "";
let lastText = "";

function senderText(version: string, node: string): string {
  if (version !== lastVersion || node !== lastNode) {
    lastVersion = version;
    lastNode = node;
    lastText = `${COMPACT} ${version} ${node}`;
  }
  return lastText;
}

const senders = new Map<string, Sender>();
const SENDER = new RegExp(`^${COMPACT} (\\S+) (.+)$`, "s");

function senderOf(appId: string): Sender | undefined {
  const known = senders.get(appId);
  if (known !== undefined) return known;
  const [, version, node] = SENDER.exec(appId) ?? [];
  if (version === undefined || node === undefined) return undefined;
  const sender = { version, node };
  if (senders.size >= MAX_KNOWN) senders.clear();
  senders.set(appId, sender);
  return sender;
}
