import { type ErrorCode, MessagingError } from "../../src/errors/messaging-error.js";
import type { Cancel, Clock } from "../../src/ports/clock.js";
import { errorText } from "../../src/util/error-text.js";
import { CallFrames, type CallOutput, type CallStream } from "./call-output.js";
import { readBodyBytes, readRequest, wholeNumber } from "./call-request.js";
import { type CallServices, serveCall } from "./call-services.js";
import type { Abort__Output } from "./gen/fairlead/v1/Abort.js";
import type { ClientFrame__Output } from "./gen/fairlead/v1/ClientFrame.js";
import type { Request__Output } from "./gen/fairlead/v1/Request.js";
import type { Lingering } from "./lingering.js";
import type { OpenCall } from "./open-calls.js";
import { type PendingRequest, RequestUpload } from "./request-upload.js";
import type { ServedCall } from "./served-call.js";
import { findSink } from "./sinks.js";

/** How long a client may take to say what it wants. */
const FIRST_FRAME_MS = 10_000;
/** Of an abort. It ends up in logs. */
const MAX_REASON_LENGTH = 1_000;

/** One stream of the rpc Call: what the client sends on it. */
export class CallSession implements OpenCall {
  readonly #services: CallServices;
  readonly #clock: Clock;
  readonly #stream: CallStream;
  readonly #output: CallOutput;
  #cancelWait: Cancel = () => {};
  #upload: RequestUpload | undefined;
  #served: ServedCall | undefined;
  #isOver = false;

  constructor(services: CallServices, stream: CallStream, lingering: Lingering) {
    this.#services = services;
    this.#clock = services.clock;
    this.#stream = stream;
    this.#output = new CallFrames(stream, {
      onWritten: () => {
        lingering.progress();
        this.#served?.written();
      },
      onEnding: (isCut) => lingering.start(isCut),
    });
  }

  /** To be called once. */
  start(): void {
    this.#cancelWait = this.#clock.setTimer(FIRST_FRAME_MS, () =>
      this.#refuse(invalid(`no request came within ${FIRST_FRAME_MS} ms; send it as the first frame`)),
    );
    this.#stream.on("data", (frame: ClientFrame__Output) => this.#onFrame(frame));
    this.#stream.once("end", () => {
      if (this.#served === undefined) this.#refuse(invalid("the stream was half-closed before the request was whole"));
    });
  }

  /** The stream is closed: by the client, by a lost connection, or because the call has ended. */
  gone(error: MessagingError): void {
    this.#stopWaiting();
    this.#output.close();
    this.#served?.abort(error);
  }

  stop(error: MessagingError): void {
    if (this.#served === undefined) {
      this.#refuse(error);
    } else {
      this.#served.abort(error);
      this.#output.fail(error);
    }
  }

  #onFrame(frame: ClientFrame__Output): void {
    if (this.#isOver) return;
    try {
      this.#services.requests.check(frame);
      this.#read(frame);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #read({ request, bodyPart, credit, abort }: ClientFrame__Output): void {
    if (request) this.#begin(request);
    else if (bodyPart !== undefined) this.#continue(bodyPart);
    else if (credit) this.#credit(credit.taken);
    else if (abort) this.#refuse(abortError(abort), "ABORTED");
    else throw invalid("a frame holds nothing that is known here");
  }

  #begin(raw: Request__Output): void {
    if (this.#upload !== undefined || this.#served !== undefined)
      throw invalid("a second request on one stream; open another");
    this.#stopWaiting();
    const { open, sinks } = this.#services;
    const request = readRequest(raw, this.#latest !== Number.POSITIVE_INFINITY);
    const bytes = readBodyBytes(raw, open.limits.maxRequestBytes);
    const arrivedAt = this.#clock.now();
    const endsAt = request.timeoutMs === undefined ? this.#latest : arrivedAt + request.timeoutMs;
    // Before the body comes: an unknown sink is told at once.
    const pending = { request, sink: findSink(sinks, request.sink), arrivedAt, endsAt };
    if (bytes === raw.body.byteLength) {
      this.#run(pending, raw.body);
      return;
    }
    const late = (error: MessagingError): void => this.#refuse(error);
    const body = { first: raw.body, bytes, client: this.#stream.getPeer() };
    this.#upload = new RequestUpload(this.#services, pending, body, late);
  }

  #continue(part: Buffer): void {
    const upload = this.#upload;
    if (upload === undefined) throw invalid("a part of a body that is whole, or has not begun");
    const whole = upload.add(part);
    if (whole === undefined) return;
    const { pending, endsAt } = upload;
    this.#stopWaiting();
    this.#run({ ...pending, endsAt }, whole);
  }

  #credit(text: string): void {
    if (this.#served === undefined) throw invalid("credit before the request was whole");
    const faults: string[] = [];
    const taken = wholeNumber("taken", text, Number.MAX_SAFE_INTEGER, faults);
    if (faults.length > 0) throw invalid(faults.join("; "));
    this.#served.take(taken);
  }

  #run(pending: PendingRequest, body: Uint8Array): void {
    const rules = { output: this.#output, takenByTransport: false };
    const call = serveCall(this.#services, { ...pending, body, latest: this.#latest }, rules);
    this.#served = call.served;
    call.start();
  }

  get #latest(): number {
    return Number(this.#stream.getDeadline());
  }

  /** Ends the stream with a status; what the sink does is aborted. */
  #refuse(thrown: unknown, code?: ErrorCode): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopWaiting();
    const error = MessagingError.is(thrown) ? thrown : new MessagingError("REMOTE", errorText(thrown));
    this.#served?.abort(error);
    this.#output.cut(code === undefined ? error : new MessagingError(code, error.message));
  }

  #stopWaiting(): void {
    this.#cancelWait();
    const upload = this.#upload;
    this.#upload = undefined;
    upload?.close();
  }
}

function abortError({ reason, code }: Abort__Output): MessagingError {
  const text =
    reason === ""
      ? "the client aborted the call"
      : `the client aborted the call: ${reason.slice(0, MAX_REASON_LENGTH)}`;
  return new MessagingError(MessagingError.isCode(code) ? code : "ABORTED", text);
}

function invalid(fault: string): MessagingError {
  return new MessagingError("INVALID_ARGUMENT", fault);
}
