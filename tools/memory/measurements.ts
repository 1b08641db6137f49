import { setTimeout as delay, setImmediate as immediate } from "node:timers/promises";
import { bytesCodec, call, callOne, jsonCodec, type Messaging, type ResponseStream } from "../../src/index.js";
import { type ControlAnswer, type ControlRequest, type ItemsRequest, SERVICE } from "./memory-services.js";
import { type RssGrowth, RssWatch } from "./rss-watch.js";

/** Read before the memory is watched, so that everything is connected, loaded and compiled. */
const WARM_UP_ITEMS = 5_000;
const CONTROL_TIMEOUT_MS = 30_000;
/** How long calls idle while the memory is watched. */
const IDLE_MS = 5_000;
/** What is measured is not a burst of starts. */
const STARTED_AT_ONCE = 10;
/** From the first idle call to the last one running, and back to none. */
const IDLE_SET_UP_MS = 120_000;

export interface Measurement {
  readonly client: RssGrowth;
  readonly server: RssGrowth;
  readonly seconds: number;
}

export interface ItemsOptions extends ItemsRequest {
  /** What the reader does with each item: it waits so long. */
  readonly readerMs: number;
}

/** One call whose reader is slow. */
export async function measureSlowReader(messaging: Messaging, options: ItemsOptions): Promise<Measurement> {
  await readItems(messaging, { ...options, items: WARM_UP_ITEMS, readerMs: 0 });
  return watched(messaging, async () => {
    const read = await readItems(messaging, options);
    if (read !== options.items) throw new Error(`${read} of ${options.items} items came`);
  });
}

/** So many calls that run at once, each with a reader that waits, and of which nothing is heard. */
export async function measureIdleCalls(messaging: Messaging, calls: number): Promise<Measurement> {
  await readItems(messaging, { items: WARM_UP_ITEMS, bytes: 1, readerMs: 0 });
  const sink = messaging.requestSink(SERVICE.idle, { codec: jsonCodec() });
  const streams: ResponseStream<unknown>[] = [];
  let failure: unknown;
  let isOver = false;
  const onEnd = (error: unknown): void => {
    // What they are told at the end is no failure.
    if (!isOver) failure ??= error;
  };
  const until = async (running: number): Promise<void> => {
    const deadline = Date.now() + IDLE_SET_UP_MS;
    for (let there = -1; there !== running; ) {
      if (failure !== undefined) throw failure;
      if (Date.now() > deadline) throw new Error(`${there} of ${running} calls run`);
      await delay(100);
      there = (await control(messaging, "look")).running;
    }
  };
  const measurement = await watched(messaging, async () => {
    while (streams.length < calls) {
      const stream = call(sink, { body: "idle" }, { timeoutMs: 600_000 });
      stream[Symbol.asyncIterator]().next().catch(onEnd);
      streams.push(stream);
      if (streams.length % STARTED_AT_ONCE === 0) await delay(1);
    }
    await until(calls);
    await delay(IDLE_MS);
  });
  isOver = true;
  for (const stream of streams) stream.abort();
  await until(0);
  return measurement;
}

async function readItems(messaging: Messaging, { readerMs, ...body }: ItemsOptions): Promise<number> {
  const sink = messaging.requestSink(SERVICE.items, { codec: jsonCodec<ItemsRequest>(), responseCodec: bytesCodec });
  let read = 0;
  for await (const response of call(sink, { body }, { timeoutMs: 60_000 })) {
    if (response.body.length !== body.bytes) throw new Error(`an item has ${response.body.length} bytes`);
    read += 1;
    await (readerMs > 0 ? delay(readerMs) : immediate());
  }
  return read;
}

async function watched(messaging: Messaging, act: () => Promise<void>): Promise<Measurement> {
  await control(messaging, "begin");
  const watch = new RssWatch();
  const since = performance.now();
  await act();
  const seconds = (performance.now() - since) / 1_000;
  const { growth } = await control(messaging, "look");
  watch.stop();
  if (growth === undefined) throw new Error("the server has not watched");
  return { client: watch.growth, server: growth, seconds };
}

async function control(messaging: Messaging, body: ControlRequest): Promise<ControlAnswer> {
  const sink = messaging.requestSink(SERVICE.control, {
    codec: jsonCodec<ControlRequest>(),
    responseCodec: jsonCodec<ControlAnswer>(),
  });
  return (await callOne(sink, { body }, { timeoutMs: CONTROL_TIMEOUT_MS })).body;
}
