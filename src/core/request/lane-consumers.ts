import type { DriverConnection, DriverConsumer, DriverResource, WireDelivery } from "../../driver/driver.js";
import type { Priority } from "../../ports/message.js";
import { requestQueue } from "./request-queue.js";

/** The most urgent first. */
export const LANES: readonly Priority[] = ["expedite", "standard", "bulk"];

/** It is so already: no promise for each call. */
export const SET = Promise.resolve();

export interface LaneConsumersOptions {
  readonly sink: string;
  prefetchOf(lane: Priority): number;
  onDelivery(lane: Priority, delivery: WireDelivery, life: LaneConsumers): void;
}

/** The consumers of one sink's three lanes on one link: they begin together, and the loss of one is the loss of all. */
export class LaneConsumers implements DriverResource {
  /** Calls that run with a delivery of these consumers. */
  readonly held: Record<Priority, number> = { expedite: 0, standard: 0, bulk: 0 };
  readonly #consumers = new Map<Priority, DriverConsumer>();
  readonly #prefetch = new Map<Priority, { readonly count: number; readonly done: Promise<void> }>();

  static async open(
    connection: DriverConnection,
    onLost: (error: unknown) => void,
    { sink, prefetchOf, onDelivery }: LaneConsumersOptions,
  ): Promise<LaneConsumers> {
    const consumers = new LaneConsumers();
    const lose = (error: unknown): void => {
      void consumers.stop();
      onLost(error);
    };
    const opening = LANES.map(async (lane) => {
      const options = { prefetch: prefetchOf(lane), lane };
      consumers.#prefetch.set(lane, { count: options.prefetch, done: SET });
      const receive = (delivery: WireDelivery): void => onDelivery(lane, delivery, consumers);
      consumers.#consumers.set(lane, await connection.consume(requestQueue(sink), options, receive, lose));
    });
    const failed = (await Promise.allSettled(opening)).find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) {
      await consumers.stop();
      throw failed.reason;
    }
    return consumers;
  }

  setPrefetch(lane: Priority, count: number): Promise<void> {
    const before = this.#prefetch.get(lane);
    const consumer = this.#consumers.get(lane);
    if (consumer === undefined || before === undefined) return SET;
    if (before.count === count) return before.done;
    const done = consumer.setPrefetch(count);
    const entry = { count, done };
    this.#prefetch.set(lane, entry);
    done.then(
      () => {
        if (this.#prefetch.get(lane) === entry) this.#prefetch.set(lane, { count, done: SET });
      },
      () => undefined,
    );
    return done;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#consumers.values()].map((consumer) => consumer.stop()));
  }
}
