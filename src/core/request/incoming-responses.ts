import type { WireMessage } from "../../driver/driver.js";
import { MessagingError } from "../../errors/messaging-error.js";
import type { RequestContext, ResponseMessage } from "../../ports/request-sink.js";
import { Ring } from "../../util/ring.js";
import { ACCEPTED } from "./accepted.js";
import { asMessagingError } from "./as-messaging-error.js";
import { DEFAULT_WINDOW_BYTES, MAX_WINDOW, RESPONSE_EXTENDS_MS } from "./call-options.js";
import type { CallerListener } from "./call-signal.js";
import { FragmentAssembly } from "./fragments.js";
import { FRAME, FRAME_HEADER, numberIn } from "./frames.js";
import type { OutgoingRequest } from "./outgoing-request.js";

export interface ResponseEvents extends CallerListener {
  /** Enough was taken for the server to be told. */
  onCredit(): void;
  /** The server has ended the call. */
  onDone(error: MessagingError | undefined): void;
  /** Something that was sent has not come, and may be sent again. */
  onGap(error: MessagingError): void;
  /** What came cannot be right: the call is to be failed and aborted. */
  lose(error: MessagingError): void;
  /** The caller's own context has thrown when it was told the end: nothing more can be told to it. */
  onThrown(thrown: unknown): void;
}

interface SizedResponse {
  readonly response: ResponseMessage<unknown>;
  /** As it travelled. */
  readonly bytes: number;
}

interface SizedCaller {
  respond(response: ResponseMessage<never>, bytes: number): Promise<boolean>;
}

/** What comes back for one call: put in order, counted, checked, and handed to the caller; credit for what is taken. */
export class IncomingResponses {
  readonly #request: OutgoingRequest;
  readonly #caller: RequestContext<never>;
  readonly #events: ResponseEvents;
  readonly #window: number;
  readonly #windowBytes: number;
  /** The highest sequence that came whole. */
  #completed = 0;
  /** Of the response after that. */
  #assembly: FragmentAssembly | undefined;
  /** Its last frame, which may overtake pieces. */
  #ending: WireMessage | undefined;
  /** Sizes of what was handed over and not taken. */
  readonly #untaken = new Ring<number>();
  #untakenBytes = 0;
  #taken = 0;
  /** Taken since the server was told. */
  #takenBytes = 0;
  /** What the server was told last. */
  #consumed = 0;
  /** Without flow control: what the caller has no room for yet. */
  #held: Ring<SizedResponse> | undefined;
  #isPassing = false;
  #final: { readonly error: MessagingError | undefined } | undefined;

  constructor(request: OutgoingRequest, events: ResponseEvents) {
    this.#request = request;
    this.#caller = request.context;
    this.#events = events;
    this.#window = request.window;
    this.#windowBytes = request.windowBytes;
    this.#caller.onTaken?.((taken) => this.#onTaken(taken));
  }

  get completed(): number {
    return this.#completed;
  }

  /** As it is to be told now. */
  get consumed(): number {
    this.#consumed = this.#taken;
    this.#takenBytes = 0;
    return this.#consumed;
  }

  /** What the server may still keep of this. */
  get unsettledBytes(): number {
    return this.#untakenBytes + this.#takenBytes;
  }

  get grantedUpTo(): number {
    return this.#consumed + this.#window;
  }

  onFrame(frame: WireMessage, isNumbered: boolean): void {
    try {
      if (frame.type === FRAME.end) this.#onEnd(frame, isNumbered);
      else if (frame.type === FRAME.response) {
        this.#onResponse(frame, isNumbered);
        // The last response says so, and there is no other end.
        if (isNumbered && frame.headers[FRAME_HEADER.totalResponses] !== undefined) this.#onEnd(frame, isNumbered);
      } else this.#onPiece(frame, isNumbered);
    } catch (error) {
      this.#events.lose(asMessagingError(error));
    }
  }

  /** The next response was lost, as is seen by something else that came. */
  onMissing(sign: string): void {
    this.#events.onGap(dataLoss(`response ${this.#completed + 1} was lost: ${sign}`));
  }

  onError(error: MessagingError): void {
    this.#events.onDone(error);
  }

  /** Nothing comes any more. What came is handed over first. */
  close(error: MessagingError | undefined): void {
    if (this.#final !== undefined) return;
    this.#final = { error };
    this.#assembly = undefined;
    this.#endIfEmpty();
  }

  #onResponse(frame: WireMessage, isNumbered: boolean): void {
    const sequence = isNumbered ? numberIn(frame.headers, FRAME_HEADER.sequence, 1) : this.#completed + 1;
    if (!this.#isNext(sequence, isNumbered)) return;
    this.#complete(frame.body, frame, isNumbered);
  }

  #onPiece(frame: WireMessage, isNumbered: boolean): void {
    const { headers, body } = frame;
    if (!this.#isNext(numberIn(headers, FRAME_HEADER.sequence, 1), isNumbered)) return;
    this.#assembly ??= new FragmentAssembly(this.#request.maxResponseBytes);
    if (frame.type === FRAME.fragment) {
      const index = numberIn(headers, FRAME_HEADER.fragment);
      if (index === undefined) throw dataLoss("a piece of a response has no index");
      this.#assembly.add(index, body);
      this.#caller.keepAlive(RESPONSE_EXTENDS_MS);
    } else {
      const total = numberIn(headers, FRAME_HEADER.fragments);
      if (total === undefined) throw dataLoss("the end of a response in pieces says no number");
      this.#assembly.finish(total, headers[FRAME_HEADER.checksum] ?? "");
      this.#ending = frame;
    }
    const last = this.#ending;
    const whole = this.#assembly.take();
    if (whole === undefined || last === undefined) return;
    this.#assembly = undefined;
    this.#ending = undefined;
    this.#complete(whole, last, isNumbered);
  }

  #onEnd(frame: WireMessage, isNumbered: boolean): void {
    const total = isNumbered ? numberIn(frame.headers, FRAME_HEADER.totalResponses) : this.#completed;
    if (total !== undefined && total > this.#completed) {
      this.onMissing(`the call ended after ${total}`);
      return;
    }
    if (this.#assembly !== undefined || total !== this.#completed) {
      throw dataLoss(`response ${this.#completed + 1} was lost: the call ended after ${total ?? "an unknown number"}`);
    }
    this.#events.onDone(undefined);
  }

  /** False for a repetition. Throws for a gap, and for what the window does not allow. */
  #isNext(sequence: number | undefined, isNumbered: boolean): boolean {
    if (sequence === undefined) throw dataLoss("a response has no number");
    if (sequence <= this.#completed) return false;
    if (sequence > this.#completed + 1) {
      this.onMissing(`response ${sequence} came`);
      return false;
    }
    if (isNumbered) this.#checkWindow(sequence);
    return true;
  }

  #checkWindow(sequence: number): void {
    const isBeyond = sequence > this.grantedUpTo;
    const isHeavy = this.#completed > this.#consumed && this.#untakenBytes + this.#takenBytes >= this.#windowBytes;
    if (isBeyond || isHeavy) {
      throw new MessagingError("REJECTED", `the server sent response ${sequence} without credit for it`);
    }
  }

  #complete(body: Uint8Array, { headers, contentType }: WireMessage, isNumbered: boolean): void {
    if (body.byteLength > this.#request.maxResponseBytes) {
      throw new MessagingError("TOO_LARGE", `a response has more than ${this.#request.maxResponseBytes} bytes`);
    }
    const response = this.#request.toResponse({ bytes: body, contentType }, headers);
    this.#completed += 1;
    this.#untaken.push(body.byteLength);
    this.#untakenBytes += body.byteLength;
    if (isNumbered) this.#pass({ response, bytes: body.byteLength });
    else this.#hold({ response, bytes: body.byteLength });
  }

  #pass(sized: SizedResponse): void {
    const accepted = this.#respond(sized);
    if (accepted !== ACCEPTED || this.#caller.onTaken === undefined) this.#await(accepted);
  }

  /** Our own contexts count the bytes as they travelled; others take no notice. */
  #respond({ response, bytes }: SizedResponse): Promise<boolean> {
    const caller: SizedCaller = this.#caller;
    return caller.respond(response as ResponseMessage<never>, bytes);
  }

  #await(accepted: Promise<boolean>): void {
    accepted.then(
      (isOpen) => this.#onAccepted(isOpen),
      (error: unknown) => this.#onRefused(error),
    );
  }

  #onAccepted(isOpen: boolean): void {
    if (!isOpen) this.#events.onCallerOver(undefined);
    // For a caller that does not say what it takes.
    else if (this.#caller.onTaken === undefined) this.#onTaken(this.#taken + 1);
  }

  #onRefused(error: unknown): void {
    const text = "the caller's end refused a response";
    this.#events.lose(MessagingError.is(error) ? error : new MessagingError("UNKNOWN", text, { cause: error }));
  }

  #hold(sized: SizedResponse): void {
    // One response is always allowed.
    const isHeavy = this.#untaken.size > 1 && this.#untakenBytes > DEFAULT_WINDOW_BYTES;
    if (this.#untaken.size > MAX_WINDOW || isHeavy) {
      const bounds = `${MAX_WINDOW} responses or ${DEFAULT_WINDOW_BYTES} bytes`;
      throw new MessagingError("REJECTED", `the reader is behind by ${bounds}, and this server knows no flow control`);
    }
    this.#held ??= new Ring<SizedResponse>();
    this.#held.push(sized);
    if (!this.#isPassing) void this.#passHeld(this.#held);
  }

  async #passHeld(held: Ring<SizedResponse>): Promise<void> {
    this.#isPassing = true;
    for (let sized = held.shift(); sized !== undefined; sized = held.shift()) {
      try {
        const isOpen = await this.#respond(sized);
        this.#onAccepted(isOpen);
        if (!isOpen) held.clear();
      } catch (error) {
        held.clear();
        this.#onRefused(error);
      }
    }
    this.#isPassing = false;
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#final === undefined || this.#isPassing || (this.#held?.size ?? 0) > 0) return;
    const { error } = this.#final;
    try {
      if (error === undefined) this.#caller.end();
      else this.#caller.fail(error);
    } catch (thrown) {
      this.#events.onThrown(thrown);
    }
  }

  #onTaken(taken: number): void {
    const isRepeated = taken === this.#taken;
    // Of what was handed over here: the caller may count what others have given it, too.
    for (const most = Math.min(taken, this.#completed); this.#taken < most; this.#taken += 1) {
      const size = this.#untaken.shift() ?? 0;
      this.#untakenBytes -= size;
      this.#takenBytes += size;
    }
    if (this.#final !== undefined || this.#taken === this.#consumed) return;
    const isHalf = (this.#taken - this.#consumed) * 2 >= this.#window || this.#takenBytes * 2 >= this.#windowBytes;
    // Told again without news, it is that the reader waits for more: then what is left of the credit decides.
    const { unsettledBytes } = this;
    const isLittle = (this.grantedUpTo - this.#completed) * 2 < this.#window || unsettledBytes * 2 >= this.#windowBytes;
    const isShort = isRepeated && isLittle;
    if (isHalf || isShort) this.#events.onCredit();
  }
}

function dataLoss(text: string): MessagingError {
  return new MessagingError("DATA_LOSS", text);
}
