import type { AmqpConnectionState, AmqpProperties, AmqpPublishMethod } from "./amqp.js";
import { encodeBodyHead, encodeFrameEnd, encodeHead, FRAME_OVERHEAD, headBound } from "./encode-message.js";
import { COPIED_BYTES, OutgoingFrames } from "./outgoing-frames.js";

/**
 * Makes one connection of amqplib write all its frames, of all channels in the order in which they were made, as one
 * piece for each turn of the loop, and encodes messages without amqplib's copies. Otherwise each frame goes through a
 * stream of its channel and a multiplexer, which costs more than all that is said in it.
 *
 * A channel that is full tells by `drain`, as it did. What cannot be encoded here is left to amqplib, errors included.
 */
export function writeDirectly(connection: AmqpConnectionState): void {
  const { channels } = connection;
  const frames = new OutgoingFrames(connection.stream, () => {
    for (const place of channels) place?.channel.onBufferDrain?.();
  });
  const writeBuffer = {
    write(chunk: Uint8Array): boolean {
      frames.append(chunk);
      return frames.hasRoom;
    },
  };
  const allocate = connection.freshChannel.bind(connection);
  connection.freshChannel = (channel, options) => {
    const number = allocate(channel, options);
    const place = channels[number];
    const replaced = place?.buffer;
    // Its end is what amqplib takes it away by.
    if (place) channels[number] = { channel: place.channel, buffer: { ...writeBuffer, end: () => replaced?.end() } };
    return number;
  };

  const sendMessage = connection.sendMessage.bind(connection);
  connection.sendMessage = (channel, method, fields, header, properties, content) => {
    if (!sendPlain(frames, connection.frameMax, channel, fields, properties, content)) {
      return sendMessage(channel, method, fields, header, properties, content);
    }
    connection.sentSinceLastCheck = true;
    return frames.hasRoom;
  };
}

/** False: nothing was sent, and the message is for amqplib. */
function sendPlain(
  frames: OutgoingFrames,
  frameMax: number,
  channel: number,
  method: AmqpPublishMethod,
  properties: AmqpProperties,
  content: Buffer,
): boolean {
  const { byteLength } = content;
  const maxBody = frameMax - FRAME_OVERHEAD;
  const isCopied = byteLength <= COPIED_BYTES && byteLength <= maxBody;
  const bound = headBound(method, properties);
  if (bound === undefined || !(bound <= COPIED_BYTES) || maxBody <= 0) return false;
  const target = frames.reserve(bound + (isCopied ? byteLength + FRAME_OVERHEAD : 0));
  let at = encodeHead(target, frames.end, channel, method, properties, byteLength);
  if (at < 0) return false;
  if (isCopied && byteLength > 0) {
    at = encodeBodyHead(target, at, channel, byteLength);
    target.set(content, at);
    at = encodeFrameEnd(target, at + byteLength);
  }
  frames.commit(at);
  if (!isCopied) sendBody(frames, maxBody, channel, content);
  return true;
}

function sendBody(frames: OutgoingFrames, maxBody: number, channel: number, content: Buffer): void {
  for (let from = 0; from < content.byteLength; from += maxBody) {
    const piece = content.subarray(from, from + maxBody);
    const head = frames.reserve(FRAME_OVERHEAD);
    frames.commit(encodeBodyHead(head, frames.end, channel, piece.byteLength));
    frames.append(piece);
    const end = frames.reserve(1);
    frames.commit(encodeFrameEnd(end, frames.end));
  }
}
