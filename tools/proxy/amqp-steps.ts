import type { ProxySide, ProxyWatch } from "./proxy-fault.js";

/** Class and method of AMQP 0-9-1. */
const METHODS = {
  "connection.start": [10, 10],
  "connection.start-ok": [10, 11],
  "connection.tune": [10, 30],
  "connection.tune-ok": [10, 31],
  "connection.open": [10, 40],
  "connection.open-ok": [10, 41],
  "channel.open": [20, 10],
  "channel.open-ok": [20, 11],
  "exchange.declare": [40, 10],
  "exchange.declare-ok": [40, 11],
  "queue.declare": [50, 10],
  "queue.declare-ok": [50, 11],
  "queue.bind": [50, 20],
  "queue.bind-ok": [50, 21],
  "confirm.select": [85, 10],
  "confirm.select-ok": [85, 11],
  "basic.qos": [60, 10],
  "basic.qos-ok": [60, 11],
  "basic.consume": [60, 20],
  "basic.consume-ok": [60, 21],
  "basic.publish": [60, 40],
  "basic.deliver": [60, 60],
  "basic.ack": [60, 80],
} as const satisfies Record<string, readonly [number, number]>;

export type AmqpStep = keyof typeof METHODS;

/** `before` its first byte, `within` its frame, or `after` its last byte. */
export type StepPart = "before" | "within" | "after";

const METHOD_FRAME = 1;
const PROTOCOL_HEADER_BYTES = 8;
/** Type, channel and size, then class and method. */
const FRAME_HEAD_BYTES = 7;
const METHOD_HEAD_BYTES = FRAME_HEAD_BYTES + 4;
/** The size counts neither the head nor the octet at the end. */
const FRAME_REST_BYTES = FRAME_HEAD_BYTES + 1;

/** Springs at the method with this number, from 1, that this side sends. */
export function atAmqpStep(side: ProxySide, step: AmqpStep, part: StepPart, occurrence = 1): () => ProxyWatch {
  const [classId, methodId] = METHODS[step];
  return () => {
    let head = Buffer.alloc(0);
    /** Of the frame that is passing, and of the protocol header before all frames of a client. */
    let left = side === "client" ? PROTOCOL_HEADER_BYTES : 0;
    let isLast = false;
    let seen = 0;
    return (from, chunk) => {
      if (from !== side) return undefined;
      let at = 0;
      while (at < chunk.length) {
        if (left > 0) {
          const passes = Math.min(left, chunk.length - at);
          left -= passes;
          at += passes;
          if (isLast && left === 0) return at;
          continue;
        }
        const begun = head.length;
        const taken = Math.min(METHOD_HEAD_BYTES - begun, chunk.length - at);
        head = Buffer.concat([head, chunk.subarray(at, at + taken)]);
        // The shortest frame, a heartbeat, has 8 bytes: its head may already hold the beginning of the next one.
        const size = head.length < FRAME_HEAD_BYTES ? undefined : FRAME_REST_BYTES + head.readUInt32BE(3);
        if (size === undefined || (size >= METHOD_HEAD_BYTES && head.length < METHOD_HEAD_BYTES)) return undefined;
        const isMethod = head[0] === METHOD_FRAME && size >= METHOD_HEAD_BYTES;
        const isIt = isMethod && head.readUInt16BE(7) === classId && head.readUInt16BE(9) === methodId;
        if (isIt) seen += 1;
        head = Buffer.alloc(0);
        if (isIt && seen === occurrence) {
          if (part === "before") return at;
          if (part === "within") return Math.min(chunk.length, at + taken);
          isLast = true;
        }
        left = size - begun;
      }
      return undefined;
    };
  };
}
