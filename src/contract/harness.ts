import type { Driver } from "../driver/index.js";
import type { EventService, EventServiceOptions } from "../events/index.js";
import type { Capabilities, Messaging, NodeId, Observer, RequestSink, RequestSinkOptions } from "../index.js";
import type { EventsUnderTest } from "./events/events-under-test.js";

/** Any test runner with nested suites fits: vitest, node:test, jest, mocha. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown;
  it(name: string, run: () => Promise<void>): unknown;
}

export interface HarnessMessagingOptions {
  readonly nodeId?: NodeId | undefined;
  readonly observers?: readonly Observer[] | undefined;
}

/**
 * Things that go wrong with a broker, done to the real one. What cannot happen to an adapter, or what its tests cannot
 * provoke, is left out, never pretended: the cases that need it are then listed as not verified. They are for this
 * harness's connections and queues alone, and each may be called again and again.
 */
export interface HarnessFaults {
  /**
   * Cuts every connection that is open, without a farewell; new ones are welcome at once. Resolves once they are cut, which
   * their owners may notice later.
   */
  readonly dropConnections: () => Promise<void>;
  /** Ends the consumers of one queue, as the broker would; connections and messages stay. */
  readonly dropConsumers?: ((queue: string) => Promise<void>) | undefined;
  /** Deletes one queue with its messages, as an operator would. Its dead letters stay. */
  readonly deleteQueue?: ((queue: string) => Promise<void>) | undefined;
  /**
   * Stops the broker, not gently, and starts it again: whatever it does not keep is gone. Resolves when it takes
   * connections, within 60 s.
   */
  readonly restartBroker?: (() => Promise<void>) | undefined;
  /**
   * The broker takes no publishes, as in a memory alarm, until `unblockPublishes`; consumers go on. Resolves once that is
   * so. A broker that refuses instead has no such state.
   */
  readonly blockPublishes?: (() => Promise<void>) | undefined;
  /** Resolves once publishes are taken again. Also called when they are not blocked. */
  readonly unblockPublishes?: (() => Promise<void>) | undefined;
  /**
   * From now on, until `thawBroker`, the broker stores, confirms and hands out nothing, and no link is seen to be lost but
   * by its silence. Nothing is lost by it.
   */
  readonly freezeBroker?: (() => Promise<void>) | undefined;
  /** It goes on where it stopped. Also called when it is not frozen. */
  readonly thawBroker?: (() => Promise<void>) | undefined;
  /**
   * The longest, in milliseconds, that a link with work to do is kept while the broker is frozen: then it counts as lost. At
   * least 1,000, so that a short silence can be told from a long one. Left out where no link is given up for its silence.
   */
  readonly silenceLimitMs?: number | undefined;
}

/** The client's end of a transport that stands before the broker. */
export interface HarnessRequestSink<Req, Res> {
  readonly sink: RequestSink<Req, Res>;
  close(): Promise<void>;
}

/** What the contract suite needs to know of an adapter. */
export interface AdapterHarness {
  /** Names the run in reports: "rabbitmq quorum". */
  readonly name: string;
  /** What the adapter promises. The suite checks that connections and drivers say the same. */
  readonly capabilities: Capabilities;
  /** A new node on the one broker that all nodes of this harness share. Not opened yet. */
  createMessaging(options?: HarnessMessagingOptions): Promise<Messaging>;
  /** A Messaging whose broker refuses connections, with this connect timeout. */
  createUnreachable?(options: { readonly connectTimeoutMs: number }): Promise<Messaging>;
  /** A driver for the same broker, for the `D-` cases. */
  createDriver?(): Driver;
  /**
   * Only where callers do not reach the broker themselves: a sink whose requests go through another transport before they
   * come to the servers of this name. Its `R-` cases are then run through it, but for those that look at the frames.
   */
  requestSink?<Req, Res>(name: string, options: RequestSinkOptions<Req, Res>): Promise<HarnessRequestSink<Req, Res>>;
  /** Makes the event services of the `E-` cases. Default: `createEventService`. */
  eventService?(options: EventServiceOptions): EventService;
  /**
   * Only where clients do not reach the event service themselves: a server with such a service and a transport before it.
   * Its `E-` cases are then run through it, but for those that look at what the transport does not carry. Its `close`
   * closes all of it but the Messaging.
   */
  events?(options: EventServiceOptions): Promise<EventsUnderTest>;
  /** A name that no other case and no other run uses, of at most 100 characters. */
  uniqueName(purpose: string): string;
  readonly faults?: HarnessFaults | undefined;
  /** Called after each case, also a failed one, when its nodes are closed: removes what it left on the broker. */
  cleanup(): Promise<void>;
  /** Multiplies every deadline of the suite, for slow machines. Default 1. */
  readonly timeScale?: number | undefined;
}
