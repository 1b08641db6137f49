import type { ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { Cancel, Clock } from "../../src/ports/clock.js";
import type { RequestContext } from "../../src/ports/request-sink.js";
import { onAbort } from "../../src/util/abort.js";
import { errorText } from "../../src/util/error-text.js";
import { firstPart, furtherParts } from "./body-parts.js";
import { fromErrorFrame, fromStatus } from "./call-errors.js";
import { FrameWriter } from "./frame-writer.js";
import type { ClientFrame } from "./gen/fairlead/v1/ClientFrame.js";
import type { Request } from "./gen/fairlead/v1/Request.js";
import type { ServerFrame__Output } from "./gen/fairlead/v1/ServerFrame.js";
import { overError, ResponseIntake, type ResponseIntakeOptions } from "./response-intake.js";

/** How long a stream may take to close once its call is over; then it is cut, which tells the server the same as an abort. */
const CLOSE_GRACE_MS = 1_000;

export type ClientStream = ClientDuplexStream<ClientFrame, ServerFrame__Output>;

export interface ClientCallOptions<Res> extends Pick<ResponseIntakeOptions<Res>, "decode" | "maxResponseBytes"> {
  readonly clock: Clock;
  readonly context: RequestContext<Res>;
  readonly stream: ClientStream;
  /** Names the call in errors. */
  readonly what: string;
  /** There is credit that can wait for a moment. */
  onIdleCredit(call: ClientCall<Res>): void;
  /** The call is over, for its caller. */
  onOver(call: ClientCall<Res>): void;
  /** Its stream is closed. */
  onClosed(call: ClientCall<Res>): void;
}

/** The client's side of one call: from its request to its end, told to the caller exactly once. */
export class ClientCall<Res> {
  readonly #options: ClientCallOptions<Res>;
  readonly #stream: ClientStream;
  readonly #writer: FrameWriter<ClientFrame>;
  readonly #intake: ResponseIntake<Res>;
  readonly #forgetAbort: () => void;
  #cancelGrace: Cancel = () => {};
  #isOver = false;

  /** Sends the request. */
  constructor(options: ClientCallOptions<Res>, request: Request, body: Uint8Array) {
    const { context, stream } = options;
    this.#options = options;
    this.#stream = stream;
    const bodyBytes = (frame: ClientFrame): number => lengthOf(frame.bodyPart ?? frame.request?.body);
    this.#writer = new FrameWriter<ClientFrame>({ stream, bodyBytes, onWritten: () => {} });
    this.#intake = new ResponseIntake<Res>({
      ...options,
      onTaken: (isDue) => this.#onTaken(isDue),
      onRefused: (error) => this.abort(error),
    });
    stream.on("data", (frame: ServerFrame__Output) => this.#onFrame(frame));
    // Told by the status too.
    stream.on("error", () => {});
    stream.once("status", (end: StatusObject) => this.#onStatus(end));
    const first = firstPart(body);
    this.#writer.write({ request: { ...request, body: first, bodyBytes: body.byteLength } });
    if (first !== body) this.#writer.writeAll(partFrames(body));
    this.#forgetAbort = onAbort(context.signal, () => this.abort(toReason(context.signal.reason)));
  }

  /** Gives the call up, here and at the server. */
  abort(error: MessagingError): void {
    if (this.#isOver) return;
    this.#finish(error);
    const { code, message } = error;
    this.#leave({ abort: { code, reason: message } });
  }

  /** Tells the server what has been taken, if it does not know. */
  sendCredit(): void {
    if (this.#isOver) return;
    const taken = this.#intake.takeCredit();
    if (taken !== undefined) this.#writer.write({ credit: { taken } });
  }

  #onFrame(frame: ServerFrame__Output): void {
    if (this.#isOver) return;
    try {
      this.#read(frame);
    } catch (error) {
      this.abort(MessagingError.is(error) ? error : new MessagingError("INTERNAL", errorText(error), { cause: error }));
    }
  }

  #read({ response, bodyPart, keepAlive, end, error }: ServerFrame__Output): void {
    if (response) this.#intake.begin(response);
    else if (bodyPart !== undefined) this.#intake.add(bodyPart);
    else if (keepAlive) {
      if (!this.#options.context.keepAlive(Number(keepAlive.extendMs))) this.abort(overError());
    } else if (end) {
      this.#intake.end(end);
      this.#finish(undefined);
      this.#leave();
    } else if (error) {
      this.#finish(fromErrorFrame(error));
      this.#leave();
    }
  }

  #leave(last?: ClientFrame): void {
    this.#writer.cut(() => {
      if (last !== undefined) this.#stream.write(last);
      this.#stream.end();
    });
    this.#cancelGrace = this.#options.clock.setTimer(CLOSE_GRACE_MS, () => this.#stream.cancel());
  }

  #onTaken(isDue: boolean): void {
    if (this.#isOver) return;
    if (isDue) this.sendCredit();
    else this.#options.onIdleCredit(this);
  }

  #onStatus(end: StatusObject): void {
    this.#cancelGrace();
    this.#writer.close();
    const { what } = this.#options;
    if (end.code !== status.OK) this.#finish(fromStatus(end, what));
    // What is still in the stream's own buffer comes first.
    else setImmediate(() => this.#finish(new MessagingError("DATA_LOSS", `${what}: the stream ended without its end`)));
    this.#options.onClosed(this);
  }

  /** What came is with the caller already, in front of this. */
  #finish(error: MessagingError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forgetAbort();
    const { context, onOver } = this.#options;
    onOver(this);
    try {
      if (error === undefined) context.end();
      else context.fail(error);
    } catch {
      // Whoever is told must not harm the work: the stream is still to be closed, and the process is others' too.
    }
  }
}

function lengthOf(body: unknown): number {
  return body instanceof Uint8Array ? body.byteLength : 0;
}

function* partFrames(body: Uint8Array): Generator<ClientFrame> {
  for (const bodyPart of furtherParts(body)) yield { bodyPart };
}

function toReason(reason: unknown): MessagingError {
  return MessagingError.is(reason) ? reason : new MessagingError("ABORTED", "call: aborted", { cause: reason });
}
