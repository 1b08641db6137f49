import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import type { ResponseMessage } from "../../src/ports/request-sink.js";
import { firstPart, furtherParts } from "./body-parts.js";
import { toCallStatus, toErrorFrame } from "./call-errors.js";
import { BYTES_TYPE } from "./call-request.js";
import { FrameWriter } from "./frame-writer.js";
import type { ClientFrame__Output } from "./gen/fairlead/v1/ClientFrame.js";
import type { ServerFrame } from "./gen/fairlead/v1/ServerFrame.js";
import type { SignalRequest__Output } from "./gen/fairlead/v1/SignalRequest.js";
import type { SignalResponse } from "./gen/fairlead/v1/SignalResponse.js";

export type CallStream = ServerDuplexStream<ClientFrame__Output, ServerFrame>;
export type SignalStream = ServerWritableStream<SignalRequest__Output, SignalResponse>;

/** What a call tells its client, in the terms of its rpc. In order; the first of `end`, `fail` and `cut` is the last. */
export interface CallOutput {
  /** The reader does not keep up. */
  readonly isFull: boolean;
  respond(sequence: number, response: ResponseMessage<Uint8Array>): void;
  keepAlive(extendMs: number): void;
  end(total: number): void;
  /** Behind what was handed over. */
  fail(error: unknown): void;
  /** Refuses, or answers an abort: what waits is dropped. */
  cut(error: unknown): void;
  /** Nobody reads any more. */
  close(): void;
}

/** What becomes of the frames. */
export interface OutputEvents {
  /** The transport took one. */
  onWritten(): void;
  /** The last word was said. `isCut`: what waited before it was dropped. */
  onEnding(isCut: boolean): void;
}

const lengthOf = (body: unknown): number => (body instanceof Uint8Array ? body.byteLength : 0);

export class CallFrames implements CallOutput {
  readonly #stream: CallStream;
  readonly #events: OutputEvents;
  readonly #writer: FrameWriter<ServerFrame>;

  constructor(stream: CallStream, events: OutputEvents) {
    this.#events = events;
    this.#stream = stream;
    const bodyBytes = ({ response, bodyPart }: ServerFrame): number => lengthOf(bodyPart ?? response?.body);
    this.#writer = new FrameWriter<ServerFrame>({ stream, bodyBytes, onWritten: () => events.onWritten() });
  }

  get isFull(): boolean {
    return this.#writer.isFull;
  }

  respond(sequence: number, { body, contentType = BYTES_TYPE, headers = {} }: ResponseMessage<Uint8Array>): void {
    const first = firstPart(body);
    const bodyBytes = body.byteLength;
    this.#writer.write({ response: { sequence, body: first, bodyBytes, contentType, headers } });
    if (first !== body) this.#writer.writeAll(partFrames(body));
  }

  keepAlive(extendMs: number): void {
    this.#writer.write({ keepAlive: { extendMs } });
  }

  end(total: number): void {
    this.#events.onEnding(false);
    this.#writer.write({ end: { total } });
    this.#writer.finish(() => this.#stream.end());
  }

  fail(error: unknown): void {
    this.#events.onEnding(false);
    this.#writer.write({ error: toErrorFrame(error) });
    this.#writer.finish(() => this.#stream.end());
  }

  cut(error: unknown): void {
    this.#events.onEnding(true);
    this.#writer.cut(() => this.#stream.emit("error", toCallStatus(error)));
  }

  close(): void {
    this.#writer.close();
  }
}

function* partFrames(body: Uint8Array): Generator<ServerFrame> {
  for (const bodyPart of furtherParts(body)) yield { bodyPart };
}

export class SignalResponses implements CallOutput {
  readonly #stream: SignalStream;
  readonly #events: OutputEvents;
  readonly #writer: FrameWriter<SignalResponse>;

  constructor(stream: SignalStream, events: OutputEvents) {
    this.#events = events;
    this.#stream = stream;
    this.#writer = new FrameWriter<SignalResponse>({
      stream,
      bodyBytes: ({ body }) => lengthOf(body),
      onWritten: () => events.onWritten(),
    });
  }

  get isFull(): boolean {
    return this.#writer.isFull;
  }

  respond(_sequence: number, { body, contentType = BYTES_TYPE, headers = {} }: ResponseMessage<Uint8Array>): void {
    this.#writer.write({ body, contentType, headers });
  }

  keepAlive(): void {}

  end(): void {
    this.#events.onEnding(false);
    this.#writer.finish(() => this.#stream.end());
  }

  fail(error: unknown): void {
    this.#events.onEnding(false);
    this.#writer.finish(() => this.#stream.emit("error", toCallStatus(error)));
  }

  cut(error: unknown): void {
    this.#events.onEnding(true);
    this.#writer.cut(() => this.#stream.emit("error", toCallStatus(error)));
  }

  close(): void {
    this.#writer.close();
  }
}
