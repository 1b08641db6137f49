import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { type AdapterHarness, contractCases, runCase } from "../../../src/contract/index.js";
import { createMessaging, type Messaging, type Observation } from "../../../src/index.js";
import { brokerNode, brokerUrl, openOperator, uniqueName } from "./broker.js";
import { bodyOf, connectDriver, eventually, refusal, take, testQueue, wire } from "./rig.js";

const BROKER_MS = 6_000;

/** For channels that are opened from now on. The broker looks at each channel once in `channel_tick_interval`. */
async function setConsumerTimeout(timeoutMs: number, tickMs: number): Promise<void> {
  await brokerNode().control(
    "eval",
    `application:set_env(rabbit, consumer_timeout, ${timeoutMs}),
     application:set_env(rabbit, channel_tick_interval, ${tickMs}).`,
  );
}

beforeAll(() => setConsumerTimeout(BROKER_MS, 100));
afterAll(() => setConsumerTimeout(1_800_000, 60_000));

/** What becomes of a channel on which nobody heeds the time. */
async function costOfHolding(queueType: "quorum" | "classic"): Promise<void> {
  const link = await connectDriver({ queueType });
  const [queue, other] = [testQueue(`held too long ${queueType}`), testQueue(`not held ${queueType}`)];
  const taking = await take(link.connection, queue);
  const others = await take(link.connection, other, { settle: (delivery) => void delivery.settle("ack") });
  for (const body of ["one", "two"]) await link.connection.publish({ kind: "queue", queue }, wire(body));
  const [one, two] = [await taking.at(0), await taking.at(1)];
  await eventually(() => taking.lost.length === 1, "the loss", 20_000);
  const error = await refusal(link, Promise.reject(taking.lost[0]));
  expect(error.code).toBe("UNAVAILABLE");
  expect(error.message).toContain("a handler ran longer than its consumer_timeout");
  expect(await Promise.all([one.settle("ack"), two.settle("ack")])).toEqual([false, false]);
  const again = await take(link.connection, queue);
  await again.at(1);
  expect(again.deliveries.map(({ redelivered }) => redelivered)).toEqual([true, true]);
  expect(again.deliveries.map(bodyOf).sort()).toEqual(["one", "two"]);
  await link.connection.publish({ kind: "queue", queue: other }, wire("three"));
  await others.at(0);
  expect([others.lost, link.lost]).toEqual([[], []]);
}

describe("rabbitmq consumer_timeout", () => {
  it("costs, where nobody heeds it, the channel with all that is out on it; others go on", async () => {
    await Promise.all([costOfHolding("quorum"), costOfHolding("classic")]);
  });
});

/** A quarter of the broker's time, so that a machine that is busy cannot use up the rest. */
const HELD_MS = BROKER_MS / 4;

function messaging(observed: Observation[]): Messaging {
  const made = createMessaging({
    driver: rabbitmqDriver({ url: brokerUrl, closeTimeoutMs: 2_000, consumerTimeoutMs: HELD_MS }),
    observers: [(observation) => observed.push(observation)],
  });
  onTestFinished(() => made.close({ drainMs: 0 }));
  return made;
}

describe("rabbitmq with the deadline of core", () => {
  const names = new Set<string>();
  const harness: AdapterHarness = {
    name: "rabbitmq with a short consumer_timeout",
    capabilities: rabbitmqDriver({ url: brokerUrl, consumerTimeoutMs: HELD_MS }).capabilities,
    createMessaging: async (options) =>
      createMessaging({ ...options, driver: rabbitmqDriver({ url: brokerUrl, consumerTimeoutMs: HELD_MS }) }),
    uniqueName(purpose) {
      const name = uniqueName(purpose);
      names.add(name).add(`${name}.dead`);
      return name;
    },
    // They run side by side: what they leave is removed at the end.
    cleanup: async () => {},
  };
  afterAll(async () => {
    const { deleteQueue, close } = await openOperator();
    await Promise.all([...names].map((name) => deleteQueue(name)));
    await close();
  });
  const held = contractCases.filter(({ where }) => where?.["queue.holdMs"] === true);

  it.concurrent.each(held.map((subject) => ({ title: `${subject.id} ${subject.sentence}`, subject })))(
    "$title",
    ({ subject }) => runCase(subject, harness),
  );

  it("disturbs nobody beside a handler that hangs for longer than the broker waits", async () => {
    const observed: Observation[] = [];
    const queue = messaging(observed).queue(testQueue("hung").name);
    const hung = new AbortController();
    const handled: string[] = [];
    const handler = async ({ body, attempt }: { readonly body: Uint8Array; readonly attempt: number }) => {
      const text = Buffer.from(body).toString();
      if (text === "hung" && attempt === 1) {
        await new Promise((resolve) => hung.signal.addEventListener("abort", resolve));
        return;
      }
      handled.push(text);
    };
    const consumer = await queue.consume(handler, { concurrency: 2, prefetch: 10 });
    await queue.publish({ body: Buffer.from("hung") });
    const until = performance.now() + BROKER_MS + 1_500;
    let sent = 0;
    while (performance.now() < until) {
      await queue.publish({ body: Buffer.from(String(sent)) });
      sent += 1;
      await eventually(() => handled.length >= sent, `${sent} to be handled, ${handled.length} are`);
    }
    await eventually(() => handled.includes("hung"), "the second attempt");
    expect(consumer.inFlight).toBe(1);
    hung.abort();
    await eventually(() => consumer.inFlight === 0, "the handler that hung to be forgotten");
    expect(handled.filter((text) => text !== "hung")).toEqual(
      Array.from({ length: sent }, (_, index) => String(index)),
    );
    const states = observed.flatMap((item) => (item.type === "consumer" ? [item.state] : []));
    expect(states).toEqual(["running"]);
    expect(observed.filter(({ type }) => type === "delivery-held")).toHaveLength(1);
  });
});
