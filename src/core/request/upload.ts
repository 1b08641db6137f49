import type { WireMessage } from "../../driver/driver.js";
import type { Clock } from "../../ports/clock.js";
import type { CallHost, HostedCall } from "./call-host.js";
import { RESPONSE_EXTENDS_MS } from "./call-options.js";
import { checksumOf, fragmentAt, fragmentCount } from "./fragments.js";
import { FRAME, FRAME_HEADER, numberIn, toFrame } from "./frames.js";
import type { OutgoingRequest } from "./outgoing-request.js";

/** Sends a large request in pieces to one server's inbox, no further than that server's credit. */
export class Upload {
  readonly #call: HostedCall;
  readonly #request: OutgoingRequest;
  readonly #calls: CallHost;
  readonly #clock: Clock;
  readonly #address: string;
  readonly #total: number;
  #next = 0;
  #grantedUpTo: number;

  constructor(call: HostedCall, calls: CallHost, clock: Clock, address: string, setup: WireMessage) {
    const { request } = call;
    this.#call = call;
    this.#request = request;
    this.#calls = calls;
    this.#clock = clock;
    this.#address = address;
    this.#total = fragmentCount(request.body.byteLength, request.fragmentBytes);
    this.#grantedUpTo = numberIn(setup.headers, FRAME_HEADER.grantedUpTo, 1) ?? 1;
    calls.setUploading(call, true);
    this.pump();
  }

  /** The request has been answered, or will not be. */
  end(): void {
    this.#calls.setUploading(this.#call, false);
  }

  /** Every piece was sent; whether they have come is not known. */
  get isDone(): boolean {
    return this.#next > this.#total;
  }

  onCredit({ headers }: WireMessage): void {
    this.#grantedUpTo = Math.max(this.#grantedUpTo, numberIn(headers, FRAME_HEADER.grantedUpTo) ?? 0);
    this.pump();
  }

  pump(): void {
    const { frames } = this.#calls;
    const { body, fragmentBytes, context } = this.#request;
    if (this.isDone) return;
    while (this.#next < this.#total) {
      if (this.#next >= this.#grantedUpTo || !frames.hasRoom) return;
      const piece = fragmentAt(body, this.#next, fragmentBytes);
      this.#send(FRAME.fragment, { [FRAME_HEADER.fragment]: String(this.#next) }, piece);
      this.#next += 1;
      context.keepAlive(RESPONSE_EXTENDS_MS);
    }
    this.#next += 1;
    const headers = { [FRAME_HEADER.fragments]: String(this.#total), [FRAME_HEADER.checksum]: checksumOf(body) };
    this.#send(FRAME.fragmentEnd, headers, undefined);
  }

  #send(type: string, headers: Record<string, string>, body: Uint8Array | undefined): void {
    headers[FRAME_HEADER.client] = this.#calls.clientId;
    const frame = toFrame({ type, correlationId: this.#request.id, headers, body, timestamp: this.#clock.now() });
    this.#calls.frames.send({ kind: "inbox", address: this.#address }, frame);
  }
}
