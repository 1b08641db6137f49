import type { Driver } from "../driver/index.js";
import type { Capabilities, Messaging, NodeId, Observer, RequestSink, RequestSinkOptions } from "../index.js";

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
 * Things that go wrong with a broker. What an adapter's tests cannot provoke is left out; the cases that need it are
 * then listed as not verified. They are for this harness's connections and queues alone.
 */
export interface HarnessFaults {
  /** Cuts every connection that is open; new ones are welcome at once. Resolves once they are cut. */
  readonly dropConnections: () => Promise<void>;
  /** Ends the consumers of one queue; connections and messages stay. */
  readonly dropConsumers?: ((queue: string) => Promise<void>) | undefined;
  /** Deletes one queue with its messages, as an operator would. */
  readonly deleteQueue?: ((queue: string) => Promise<void>) | undefined;
  /** Stops the broker, not gently, and starts it again. Resolves when it takes connections. */
  readonly restartBroker?: (() => Promise<void>) | undefined;
  /** The broker takes no publishes, as in a memory alarm, until `unblockPublishes`. Resolves once it says so. */
  readonly blockPublishes?: (() => Promise<void>) | undefined;
  readonly unblockPublishes?: (() => Promise<void>) | undefined;
  /** From now on the broker answers nothing, and no link is seen to be lost, until `thawBroker`. */
  readonly freezeBroker?: (() => Promise<void>) | undefined;
  readonly thawBroker?: (() => Promise<void>) | undefined;
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
  /** A name that no other case and no other run uses, of at most 100 characters. */
  uniqueName(purpose: string): string;
  readonly faults?: HarnessFaults | undefined;
  /** Called after each case, also a failed one, when its nodes are closed: removes what it left on the broker. */
  cleanup(): Promise<void>;
  /** Multiplies every deadline of the suite, for slow machines. Default 1. */
  readonly timeScale?: number | undefined;
}
