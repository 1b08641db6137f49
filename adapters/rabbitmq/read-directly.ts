import type { AmqpChannelPlace, AmqpConnectionState } from "./amqp.js";
import { decodeMessage, isOnItsWay } from "./decode-message.js";
import { boundDepth } from "./header-depth.js";

const METHOD_FRAME = 1;
const HEADER_FRAME = 2;
/** Type, channel and size. */
const FRAME_HEAD_BYTES = 7;
const FRAME_OVERHEAD = 8;
const METHOD_ID_BYTES = 4;
const BASIC_DELIVER = 0x003c003c;
const BASIC_ACK = 0x003c0050;
/** Of its payload: the method, the tag, and a byte of flags. */
const ACK_BYTES = 13;
const FRAME_END = 0xce;

const NOTHING = Buffer.alloc(0);

/**
 * Makes one connection of amqplib hand messages that have come whole to their consumers at once, and confirms to their
 * channel. Otherwise a message is three frames that are cut out, decoded field by field and put together again. Whatever
 * else comes goes through amqplib, frame by frame, and so does every message that it must have a say in; its headers only as
 * deep as amqplib can read.
 */
export function readDirectly(connection: AmqpConnectionState): void {
  const { channels, stream } = connection;
  // Another one is set as soon as the connection is closing.
  const acceptOpen = connection.accept;
  const receiveFrame = connection.recvFrame.bind(connection);
  let bytes = connection.rest;
  let at = 0;
  connection.rest = NOTHING;

  /** False: it is for amqplib. */
  const handOver = (size: number): boolean | "incomplete" => {
    const method = bytes.readUInt32BE(at + FRAME_HEAD_BYTES);
    if (method !== BASIC_DELIVER && method !== BASIC_ACK) return false;
    const place = channels[bytes.readUInt16BE(at + 1)];
    if (connection.accept !== acceptOpen || place === null || place === undefined || !isOpen(place)) return false;
    return method === BASIC_ACK ? confirm(place, size) : deliver(place);
  };

  const confirm = ({ channel }: AmqpChannelPlace, size: number): boolean => {
    if (size !== ACK_BYTES || channel.emit === undefined || bytes[at + FRAME_OVERHEAD + size - 1] !== FRAME_END)
      return false;
    const tagAt = at + FRAME_HEAD_BYTES + METHOD_ID_BYTES;
    const deliveryTag = bytes.readUInt32BE(tagAt) * 2 ** 32 + bytes.readUInt32BE(tagAt + 4);
    const multiple = ((bytes[tagAt + 8] ?? 0) & 1) === 1;
    at += FRAME_OVERHEAD + size;
    channel.emit("ack", { deliveryTag, multiple });
    return true;
  };

  const deliver = ({ channel }: AmqpChannelPlace): boolean | "incomplete" => {
    const decoded = decodeMessage(bytes, at);
    if (decoded === undefined) return isOnItsWay(bytes, at) && "incomplete";
    const consumer = channel.consumers?.get(decoded.consumerTag);
    if (consumer === undefined) return false;
    at = decoded.end;
    consumer(decoded.message);
    return true;
  };

  /** False: there is none. */
  const readMore = (): boolean => {
    const chunk = stream.read();
    if (chunk === null) return false;
    connection.recvSinceLastCheck = true;
    bytes = at === bytes.byteLength ? chunk : Buffer.concat([bytes.subarray(at), chunk]);
    at = 0;
    return true;
  };

  connection.recvFrame = () => {
    for (;;) {
      const left = bytes.byteLength - at;
      const size = left < FRAME_HEAD_BYTES ? 0 : bytes.readUInt32BE(at + 3);
      const frameBytes = FRAME_OVERHEAD + size;
      // One that is too large is refused by its head.
      const isTooLarge = connection.maxFrameSize > 0 && size > connection.maxFrameSize;
      if (left < frameBytes && !isTooLarge) {
        if (!readMore()) return false;
        continue;
      }
      if (!isTooLarge && bytes[at] === METHOD_FRAME && size >= METHOD_ID_BYTES) {
        const isHandedOver = handOver(size);
        // The rest of a message comes behind it.
        if (isHandedOver === "incomplete" && !readMore()) return false;
        if (isHandedOver !== false) continue;
      }
      if (!isTooLarge && bytes[at] === HEADER_FRAME) {
        boundDepth(bytes, at + FRAME_HEAD_BYTES, at + FRAME_HEAD_BYTES + size);
      }
      connection.rest = bytes.subarray(at, at + frameBytes);
      at += frameBytes;
      return receiveFrame();
    }
  };
}

/** Another way to accept frames is set on a channel that is closing or closed. */
function isOpen({ channel }: AmqpChannelPlace): boolean {
  return !Object.hasOwn(channel, "accept");
}
