import type { DeliveredEvent, EventSubscribeOptions, OutgoingEvent, PostOptions } from "../../events/index.js";
import type { CloseOptions } from "../../index.js";

/** Where a client's events go, as an `EventSink` of the service has it. */
export interface ClientSink {
  deliver(event: DeliveredEvent): Promise<boolean>;
  end(): void;
}

/** What clients see of an event service: the service itself, or the client's end of a transport that stands before it. */
export interface EventsUnderTest {
  post(event: OutgoingEvent, options?: PostOptions): Promise<void>;
  /**
   * Resolves once the service knows of it; a subscribe that has to wait for its turn may resolve later. Aborting the
   * signal means that the subscriber is gone. `closed` resolves when the stream has ended: undefined if that was in order.
   */
  subscribe(clientId: string, sink: ClientSink, options: EventSubscribeOptions): ClientStream | Promise<ClientStream>;
  /** What it resolves with is looked at only where nothing stands before the service. */
  ack(ackToken: string, success: boolean): Promise<unknown>;
  closeClient(clientId: string): Promise<void>;
  close(options?: CloseOptions): Promise<void>;
}

export interface ClientStream {
  readonly closed: Promise<Error | undefined>;
}
