import { type MemoryBroker, type MemoryOptions, memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import {
  createEventService,
  type DeliveredEvent,
  type EventOptions,
  type EventService,
  type EventSink,
  type EventSubscription,
  type OutgoingEvent,
} from "../../../src/events/index.js";
import type { Random } from "../../../src/ports/clock.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import type { Observation } from "../../../src/ports/observer.js";
import { deferred } from "../../../src/util/deferred.js";
import { VirtualClock } from "../../support/virtual-clock.js";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;

/** A subscriber that keeps what it gets, and has room until it is told otherwise. */
export class TestClient implements EventSink {
  readonly received: DeliveredEvent[] = [];
  ends = 0;
  /** Answers each delivery; set it to hold up, to be gone, or to refuse. */
  answer: (event: DeliveredEvent) => Promise<boolean> = async () => true;
  /** Holds up the end of the stream. */
  ending: () => Promise<void> = async () => {};

  get bodies(): string[] {
    return this.received.map(bodyOf);
  }

  get last(): DeliveredEvent {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error("nothing received");
    return last;
  }

  deliver(event: DeliveredEvent): Promise<boolean> {
    this.received.push(event);
    return this.answer(event);
  }

  async end(): Promise<void> {
    this.ends += 1;
    await this.ending();
  }
}

export interface Node {
  readonly messaging: Messaging;
  readonly events: EventService;
  readonly observations: Observation[];
}

export interface RigOptions {
  readonly events?: EventOptions;
  readonly memory?: Omit<MemoryOptions, "broker">;
  /** Of the event services. */
  readonly random?: Random;
}

/** Event services over one memory broker, in time that passes only when it is told to. */
export class EventRig {
  readonly clock = new VirtualClock();
  readonly broker: MemoryBroker = memoryBroker({ clock: this.clock });
  readonly #options: RigOptions;
  readonly #nodes: Node[] = [];

  constructor(options: RigOptions = {}) {
    this.#options = options;
  }

  /** A server process of its own. */
  node(): Node {
    const { clock, broker } = this;
    const observations: Observation[] = [];
    const observers = [(observation: Observation) => void observations.push(observation)];
    const driver = memoryDriver({ ...this.#options.memory, broker });
    const messaging = createMessaging({ driver, clock, observers });
    const { random } = this.#options;
    const events = createEventService({ ...this.#options.events, messaging, clock, observers, random });
    const node = { messaging, events, observations };
    this.#nodes.push(node);
    return node;
  }

  /** How many events the broker holds: to be delivered now, and delivered but not settled. */
  held(queue = "events"): { readonly ready: number; readonly unsettled: number; readonly delayed: number } {
    const count = this.broker.count(queue);
    return { ready: count?.ready ?? 0, unsettled: count?.unsettled ?? 0, delayed: count?.delayed ?? 0 };
  }

  /** Waits without letting time pass. */
  async until(condition: () => boolean, what = condition.toString()): Promise<void> {
    for (let turn = 0; turn < 400; turn += 1) {
      if (condition()) return;
      await this.clock.settle();
    }
    throw new Error(`not so: ${what}`);
  }

  /** Waits long enough for anything that could still happen now. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await this.clock.settle();
  }

  async close(): Promise<void> {
    this.broker.thaw();
    for (const { events, messaging } of this.#nodes) {
      const closing = Promise.all([events.close({ drainMs: 0 }), messaging.close({ drainMs: 0 })]);
      const closed = deferred<void>();
      void closing.then(() => closed.resolve());
      for (let turn = 0; turn < 200 && !closed.settled; turn += 1) await this.clock.pass(100);
      if (!closed.settled) throw new Error("a node did not close");
    }
  }
}

export function event(body: string, rest: Omit<OutgoingEvent, "body"> = {}): OutgoingEvent {
  return { body: Buffer.from(body), ...rest };
}

export function bodyOf({ body }: { readonly body: Uint8Array }): string {
  return Buffer.from(body).toString();
}

/** Subscribes, and hands back both ends. */
export function subscribe(
  { events }: Node,
  clientId: string,
  signal?: AbortSignal,
): { readonly client: TestClient; readonly subscription: EventSubscription } {
  const client = new TestClient();
  return { client, subscription: events.subscribe(clientId, client, { signal }) };
}

/** How a promise stands now. */
export function stateOf<T>(promise: Promise<T>): { readonly settled: boolean } {
  const state = { settled: false };
  promise.then(
    () => {
      state.settled = true;
    },
    () => {
      state.settled = true;
    },
  );
  return state;
}
