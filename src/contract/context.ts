import assert, { AssertionError } from "node:assert";
import type { ConnectOptions, Driver, DriverConnection, WireMessage } from "../driver/index.js";
import { createEventService, type EventService, type EventServiceOptions } from "../events/index.js";
import {
  type Capabilities,
  type Clock,
  createMessaging,
  type ErrorCode,
  type Messaging,
  MessagingError,
  type Observation,
  type RequestServer,
  type RequestSink,
  type RequestSinkOptions,
  type ServeOptions,
} from "../index.js";
import type { EventsUnderTest } from "./events/events-under-test.js";
import type { AdapterHarness, HarnessFaults, HarnessMessagingOptions } from "./harness.js";
import { Collector, Gate, settlesWithin, until } from "./probe.js";

const DEADLINE_MS = 5_000;
const CLOSE_DRAIN_MS = 500;

/** One process of an application, as far as the broker can tell. */
export interface ContractNode {
  readonly messaging: Messaging;
  readonly observed: Collector<Observation>;
}

/** One connection of a bare driver, with what it told. */
export interface ContractLink {
  readonly driver: Driver;
  readonly connection: DriverConnection;
  readonly lost: Collector<unknown>;
  readonly returned: Collector<WireMessage>;
}

/** What clients see of an event service, and the service itself where nothing stands before it. */
export interface ContractEvents {
  readonly service: EventsUnderTest;
  readonly whole: EventService | undefined;
}

/** What one case works with. All that it opens here is closed at its end, also after a failure. */
export class ContractContext {
  readonly capabilities: Capabilities;
  readonly #harness: AdapterHarness;
  readonly #deadlineMs: number;
  readonly #timeScale: number;
  readonly #gates: Gate[] = [];
  readonly #nodes: Messaging[] = [];
  readonly #connections: DriverConnection[] = [];
  readonly #endings: (() => Promise<void>)[] = [];

  constructor(harness: AdapterHarness) {
    this.#harness = harness;
    this.capabilities = harness.capabilities;
    this.#timeScale = harness.timeScale ?? 1;
    this.#deadlineMs = DEADLINE_MS * this.#timeScale;
  }

  /** What coming back after a fault may take beyond the usual deadline. */
  get recoveryMs(): number {
    return this.#deadlineMs;
  }

  /** A time that the subject is given, within which the case must have done something: longer on a slow machine. */
  unhurried(ms: number): number {
    return ms * Math.max(1, this.#timeScale);
  }

  /** What provoking a fault may take beyond the usual deadline: whole programs may be started for it. */
  get faultMs(): number {
    return 6 * this.#deadlineMs;
  }

  name(purpose: string): string {
    return this.#harness.uniqueName(purpose);
  }

  fault<K extends keyof HarnessFaults>(name: K): NonNullable<HarnessFaults[K]> {
    const fault = this.#harness.faults?.[name];
    if (!fault)
      throw new AssertionError({ message: `the harness has no fault ${name}, and the case does not list it` });
    return fault;
  }

  async dropConnections(): Promise<void> {
    await this.soon(this.fault("dropConnections")(), "dropConnections", this.faultMs);
  }

  async node(options: HarnessMessagingOptions = {}): Promise<ContractNode> {
    const observed = this.collector<Observation>("observations", describeObservation);
    const observers = [observed.add, ...(options.observers ?? [])];
    const messaging = await this.soon(this.#harness.createMessaging({ ...options, observers }), "createMessaging");
    this.#nodes.push(messaging);
    return { messaging, observed };
  }

  /** A node over a driver of the case's own making, with the machine's clock or another. */
  nodeOver(driver: Driver, clock?: Clock): ContractNode {
    const observed = this.collector<Observation>("observations", describeObservation);
    const messaging = createMessaging({ driver, clock, observers: [observed.add] });
    this.#nodes.push(messaging);
    return { messaging, observed };
  }

  serve<Req = Uint8Array, Res = Uint8Array>(
    { messaging }: Pick<ContractNode, "messaging">,
    name: string,
    sink: RequestSink<Req, Res>,
    options: ServeOptions<Req, Res> = {},
  ): Promise<RequestServer> {
    return this.soon(messaging.serve(name, sink, options), `serve of ${name}`);
  }

  /** A caller's end: on a node of its own, or through the transport that the harness puts before the broker. */
  async sink<Req = Uint8Array, Res = Uint8Array>(
    name: string,
    options: RequestSinkOptions<Req, Res> = {},
  ): Promise<RequestSink<Req, Res>> {
    if (this.#harness.requestSink === undefined) {
      return (await this.node()).messaging.requestSink(name, options);
    }
    const { sink, close } = await this.soon(this.#harness.requestSink(name, options), "requestSink");
    this.atEnd(close);
    return sink;
  }

  /** An event service, or a transport with one behind it. Its time is over when the case's is. */
  async events(options: EventServiceOptions): Promise<ContractEvents> {
    const { events, eventService = createEventService } = this.#harness;
    const whole = events === undefined ? eventService(options) : undefined;
    const service = whole ?? (await this.soon(this.#transport(options), "events"));
    this.atEnd(() => service.close({ drainMs: 0 }));
    return { service, whole };
  }

  async #transport(options: EventServiceOptions): Promise<EventsUnderTest> {
    const service = await this.#harness.events?.(options);
    if (service === undefined) throw new AssertionError({ message: "no events" });
    return service;
  }

  async unreachable(connectTimeoutMs: number): Promise<Messaging> {
    if (this.#harness.createUnreachable === undefined) throw new AssertionError({ message: "no createUnreachable" });
    const messaging = await this.soon(this.#harness.createUnreachable({ connectTimeoutMs }), "createUnreachable");
    this.#nodes.push(messaging);
    return messaging;
  }

  driver(): Driver {
    if (this.#harness.createDriver === undefined) throw new AssertionError({ message: "no createDriver" });
    return this.#harness.createDriver();
  }

  async link(driver = this.driver()): Promise<ContractLink> {
    const lost = this.collector<unknown>("losses", String);
    const returned = this.collector<WireMessage>("returned frames", (frame) => frame.messageId);
    const options: ConnectOptions = {
      signal: new AbortController().signal,
      onLost: lost.add,
      onBlocked: () => {},
      onReturned: returned.add,
    };
    const connection = await this.soon(driver.connect(options), "connect");
    this.#connections.push(connection);
    return { driver, connection, lost, returned };
  }

  /** Bounds a wait that has no deadline of its own. */
  soon<T>(promise: PromiseLike<T>, what: string, extraMs = 0): Promise<T> {
    const outcome = settlesWithin(promise, this.#deadlineMs + extraMs, what);
    // A case that fails before it awaits this one has said what is wrong already.
    outcome.catch(() => undefined);
    return outcome;
  }

  until(condition: () => boolean, describe: () => string, extraMs = 0): Promise<void> {
    return until(condition, this.#deadlineMs + extraMs, describe);
  }

  collector<T>(what: string, show: (item: T) => string): Collector<T> {
    return new Collector(what, this.#deadlineMs, show);
  }

  gate(): Gate {
    const gate = new Gate();
    this.#gates.push(gate);
    return gate;
  }

  /** Runs at the end of the case, before nodes are closed. */
  atEnd(ending: () => Promise<void>): void {
    this.#endings.push(ending);
  }

  /**
   * Lets time pass in which something must not happen, where nothing that comes after it can be waited for. `reason`
   * says why this long is long enough.
   */
  async window(ms: number, _reason: string): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** The error with which the operation is refused; fails unless it is a MessagingError with this code. */
  async refused(attempt: () => unknown, code: ErrorCode, what: string): Promise<MessagingError> {
    let error: unknown;
    try {
      await this.soon(Promise.resolve(attempt()), what);
    } catch (caught) {
      error = caught;
    }
    assert.ok(error !== undefined, `${what}: accepted, although it must be refused with ${code}`);
    assert.ok(MessagingError.is(error), `${what}: refused with something that is no MessagingError: ${String(error)}`);
    assert.equal(error.code, code, `${what}: refused with ${error.code} (${error.message}) instead of ${code}`);
    assert.ok(error.message.trim().length > 0, `${what}: refused without a word`);
    return error;
  }

  /** Refused with `UNSUPPORTED`, in a message that names the capability and says what to do instead. */
  async unsupported(attempt: () => unknown, capability: string, what: string): Promise<void> {
    const { message } = await this.refused(attempt, "UNSUPPORTED", what);
    const after = message.split(capability)[1];
    assert.ok(after !== undefined, `${what}: the refusal does not name the capability ${capability}: ${message}`);
    assert.ok(after.length >= 25, `${what}: the refusal names no alternative: ${message}`);
  }

  /** Closes everything. Rejects if something does not close. */
  async end(): Promise<void> {
    const endings = this.#endings.map((ending) =>
      this.soon(ending(), "what the case does at its end", this.recoveryMs),
    );
    const failures = (await Promise.allSettled(endings)).filter(isRejected);
    for (const gate of this.#gates) gate.open();
    const closings = [
      ...this.#nodes.map((node) => this.soon(node.close({ drainMs: CLOSE_DRAIN_MS }), "close of a node at the end")),
      ...this.#connections.map((link) => this.soon(link.close(), "close of a driver connection at the end")),
    ];
    failures.push(...(await Promise.allSettled(closings)).filter(isRejected));
    failures.push(...(await Promise.allSettled([this.soon(this.#harness.cleanup(), "cleanup")])).filter(isRejected));
    const [first] = failures;
    if (first !== undefined) throw first.reason;
  }
}

function isRejected(result: PromiseSettledResult<unknown>): result is PromiseRejectedResult {
  return result.status === "rejected";
}

function describeObservation(observation: Observation): string {
  const { type, ...rest } = observation;
  const parts = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${value instanceof Error ? value.message : String(value)}`);
  return `${type} (${parts.join(", ")})`;
}
