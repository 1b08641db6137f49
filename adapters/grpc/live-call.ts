import { ServerInterceptingCall, type ServerInterceptor } from "@grpc/grpc-js";

type NextCall = ConstructorParameters<typeof ServerInterceptingCall>[0];
type Listener = Parameters<ServerInterceptingCall["start"]>[0];
type Metadata = Parameters<Listener["onReceiveMetadata"]>[0];

/**
 * One call, of which its handler hears nothing after its end. The library begins the handler of a single request when the
 * client has said all, also when the call was answered long before, as for a deadline that is over or a message that is too
 * large: such a handler would never be told that nobody is there.
 */
class LiveCall extends ServerInterceptingCall implements Listener {
  readonly #next: NextCall;
  #handler: Listener | undefined;

  constructor(next: NextCall) {
    super(next);
    this.#next = next;
  }

  override start(handler: Listener): void {
    this.#handler = handler;
    this.#next.start(this);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#handler?.onReceiveMetadata(metadata);
  }

  onReceiveMessage(message: unknown): void {
    this.#handler?.onReceiveMessage(message);
  }

  onReceiveHalfClose(): void {
    this.#handler?.onReceiveHalfClose();
  }

  /** At every end, also a good one. */
  onCancel(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onCancel();
  }
}

/** The first of all interceptors, so that the others need not ask either. */
export const liveCalls: ServerInterceptor = (_, next) => new LiveCall(next);
