import { decode, encode, type Field, text } from "./wire-client.js";

export const CALL = "/fairlead.v1.RequestSink/Call";
export const SIGNAL = "/fairlead.v1.RequestSink/Signal";

/** Field numbers of ClientFrame and ServerFrame. */
const REQUEST = 1;
const BODY_PART = 2;
const CREDIT = 3;
const ABORT = 4;

/** A Request from field numbers: the sink, a time-out of a minute, and more or other fields. */
export function request(sink: string, more: readonly Field[] = []): Buffer {
  const own = new Map<number, Field>([
    [1, [1, text(sink)]],
    [9, [9, 60_000n]],
  ]);
  for (const field of more) own.set(field[0], field);
  return encode([[REQUEST, encode([...own.values()])]]);
}

export const bodyPart = (bytes: Buffer): Buffer => encode([[BODY_PART, bytes]]);
export const credit = (taken: bigint): Buffer => encode([[CREDIT, encode([[1, taken]])]]);
export const abort = (reason: string, code = ""): Buffer =>
  encode([
    [
      ABORT,
      encode([
        [1, text(reason)],
        [2, text(code)],
      ]),
    ],
  ]);

export type ServerFrameKind = "response" | "bodyPart" | "keepAlive" | "end" | "error";
const KINDS: readonly ServerFrameKind[] = ["response", "bodyPart", "keepAlive", "end", "error"];

/** A ServerFrame: which one, and its fields. */
export function readFrame(message: Buffer): {
  readonly kind: ServerFrameKind;
  readonly fields: Map<number, bigint | Buffer>;
} {
  const [[number, value] = [0, Buffer.alloc(0)]] = [...decode(message)];
  const kind = KINDS[number - 1];
  if (kind === undefined || !Buffer.isBuffer(value)) throw new Error(`an unknown frame ${number}`);
  return { kind, fields: kind === "bodyPart" ? new Map([[0, value]]) : decode(value) };
}
