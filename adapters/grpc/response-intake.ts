import { MessagingError } from "../../src/errors/messaging-error.js";
import type { MessageHeaders } from "../../src/ports/message.js";
import type { RequestContext, ResponseMessage } from "../../src/ports/request-sink.js";
import { Ring } from "../../src/util/ring.js";
import { BodyParts } from "./body-parts.js";
import { ACCEPTED } from "./call-rules.js";
import type { End__Output } from "./gen/fairlead/v1/End.js";
import type { Response__Output } from "./gen/fairlead/v1/Response.js";

export interface ResponseIntakeOptions<Res> {
  readonly context: RequestContext<Res>;
  readonly maxResponseBytes: number;
  /** Throws `MALFORMED`. */
  decode(body: Uint8Array, contentType: string, headers: MessageHeaders): ResponseMessage<Res>;
  /** The caller has taken more. `isDue`: enough for the server to be told now. */
  onTaken(isDue: boolean): void;
  /** The caller's end wants no more. */
  onRefused(error: MessagingError): void;
}

/** As a whole response does. */
export const PART_EXTENDS_MS = 10_000;

/** A response whose body is not whole yet. */
interface Partial {
  readonly response: Response__Output;
  readonly body: BodyParts;
}

/** The responses to one call as they come: put together, counted, checked against the window, and handed to the caller. */
export class ResponseIntake<Res> {
  readonly #options: ResponseIntakeOptions<Res>;
  readonly #context: RequestContext<Res>;
  readonly #untaken = new Ring<number>();
  #untakenBytes = 0;
  #partial: Partial | undefined;
  #received = 0;
  #taken = 0;
  /** What the server was told. */
  #credited = 0;
  #uncreditedBytes = 0;

  constructor(options: ResponseIntakeOptions<Res>) {
    this.#options = options;
    this.#context = options.context;
    this.#context.onTaken?.((taken) => this.#onTaken(taken));
  }

  /** How much was taken, to be told now; undefined if the server knows it. */
  takeCredit(): number | undefined {
    if (this.#credited === this.#taken) return undefined;
    this.#credited = this.#taken;
    this.#uncreditedBytes = 0;
    return this.#taken;
  }

  /** Throws `DATA_LOSS` for a gap, `REJECTED` for what the window does not allow, `TOO_LARGE`, `MALFORMED`. */
  begin(response: Response__Output): void {
    const sequence = Number(response.sequence);
    if (sequence !== this.#received + 1 || this.#partial !== undefined) throw lost(this.#received + 1);
    this.#checkWindow(sequence);
    const bytes = Number(response.bodyBytes);
    const { maxResponseBytes } = this.#options;
    if (Math.max(bytes, response.body.byteLength) > maxResponseBytes) {
      throw new MessagingError("TOO_LARGE", `a response has ${bytes} bytes; at most ${maxResponseBytes} are taken`);
    }
    if (bytes <= response.body.byteLength) this.#complete(response, response.body);
    else this.#partial = { response, body: new BodyParts(response.body, bytes) };
  }

  /** Throws as `begin` does. */
  add(part: Uint8Array): void {
    const partial = this.#partial;
    if (partial === undefined) throw new MessagingError("DATA_LOSS", "a part of a response came without its beginning");
    partial.body.add(part);
    this.#context.keepAlive(PART_EXTENDS_MS);
    const { whole } = partial.body;
    if (whole === undefined) return;
    this.#partial = undefined;
    this.#complete(partial.response, whole);
  }

  /** Throws `DATA_LOSS` if there was more than came. */
  end({ total }: End__Output): void {
    if (this.#partial !== undefined || Number(total) !== this.#received) throw lost(this.#received + 1);
  }

  #checkWindow(sequence: number): void {
    const { window, windowBytes } = this.#context;
    const outstanding = this.#untaken.size + this.#taken - this.#credited;
    const isHeavy = outstanding > 0 && this.#untakenBytes + this.#uncreditedBytes >= windowBytes;
    if (outstanding >= window || isHeavy) {
      throw new MessagingError("REJECTED", `the server sent response ${sequence} without credit for it`);
    }
  }

  #complete({ contentType, headers }: Response__Output, body: Uint8Array): void {
    this.#received += 1;
    this.#untaken.push(body.byteLength);
    this.#untakenBytes += body.byteLength;
    const accepted = this.#context.respond(this.#options.decode(body, contentType, headers));
    // Nothing to wait for, and nothing to learn from it.
    if (accepted === ACCEPTED && this.#context.onTaken !== undefined) return;
    accepted.then(this.#onAccepted, this.#onRefused);
  }

  readonly #onAccepted = (isOpen: boolean): void => {
    if (!isOpen) this.#options.onRefused(overError());
    // A caller that does not say what it takes has taken what it accepted.
    else if (this.#context.onTaken === undefined) this.#onTaken(this.#taken + 1);
  };

  readonly #onRefused = (thrown: unknown): void => {
    const text = "the caller's end refused a response";
    this.#options.onRefused(
      MessagingError.is(thrown) ? thrown : new MessagingError("UNKNOWN", text, { cause: thrown }),
    );
  };

  #onTaken(taken: number): void {
    // Of what was handed over here: the caller may count what others have given it, too.
    for (const most = Math.min(taken, this.#received); this.#taken < most; this.#taken += 1) {
      const bytes = this.#untaken.shift() ?? 0;
      this.#untakenBytes -= bytes;
      this.#uncreditedBytes += bytes;
    }
    const { window, windowBytes } = this.#context;
    const isHalf = (this.#taken - this.#credited) * 2 >= window || this.#uncreditedBytes * 2 >= windowBytes;
    this.#options.onTaken(isHalf);
  }
}

/** The caller's end has said that it wants no more. */
export function overError(): MessagingError {
  return new MessagingError("ABORTED", "call: ended at its caller's side");
}

function lost(sequence: number): MessagingError {
  return new MessagingError("DATA_LOSS", `response ${sequence} was lost`);
}
