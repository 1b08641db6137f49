import { connect, type Options } from "amqplib";
import { describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { createMessaging, MessagingError, type Observation } from "../../../src/index.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { brokerUrl, uniqueName } from "./broker.js";
import { connectDriver, eventually, operator, refusal, take, testQueue, wire } from "./rig.js";

const DEAD = (name: string) => ({
  "x-dead-letter-exchange": "",
  "x-dead-letter-routing-key": `${name}.dead`,
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
});

/** How the queue is there, and what is said of it. */
const CASES: readonly [string, (name: string) => Options.AssertQueue, RegExp][] = [
  ["not durable", () => ({ durable: false }), /durable = false, wanted is true/],
  ["auto-delete", () => ({ autoDelete: true }), /auto_delete = true, wanted is false|x-.* = none, wanted is/],
  ["of the default type", () => ({}), /x-queue-type = (?:classic|none), wanted is quorum|x-.* = none, wanted is/],
  [
    "classic",
    (name) => ({
      arguments: { "x-queue-type": "classic", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": name },
    }),
    /x-queue-type = classic, wanted is quorum|x-.* = (?:none|mismatch .*…), wanted is/,
  ],
  [
    "without dead letters",
    () => ({ arguments: { "x-queue-type": "quorum" } }),
    /x-(?:dead-letter|overflow)[a-z-]* = none, wanted is/,
  ],
  [
    "with other dead letters",
    (name) => ({
      arguments: { ...DEAD(name), "x-queue-type": "quorum", "x-dead-letter-routing-key": "elsewhere" },
    }),
    /x-dead-letter-routing-key = elsewhere, wanted is ".*\.dead"|x-dead-letter-routing-key = elsewhere, wanted is .*\.dead/,
  ],
  [
    "limited in length",
    (name) => ({ arguments: { ...DEAD(name), "x-queue-type": "quorum", "x-max-length": 7 } }),
    /x-max-length = 7, wanted is none/,
  ],
];

describe("a rabbitmq queue that is there with other properties", () => {
  it.each(CASES)(
    "%s: is told with the property and both values; nothing else on the link is touched",
    async (...given) => {
      const [, optionsOf, told] = given;
      const { declare } = await operator();
      const link = await connectDriver();
      const queue = testQueue("mismatch");
      await declare(queue.name, optionsOf(queue.name));
      const own = await take(link.connection, testQueue("own"));
      const refused = [
        await refusal(link, take(link.connection, queue)),
        await refusal(link, link.connection.publish({ kind: "queue", queue }, wire("x"))),
      ];
      for (const error of refused) {
        expect([error.code, error.retryable]).toEqual(["ALREADY_EXISTS", false]);
        expect(error.message).toContain(`the queue "${queue.name}" is there with`);
        expect(error.message).toMatch(told);
      }
      expect([own.lost, link.lost]).toEqual([[], []]);
    },
  );

  it("is told also where the broker cuts its answer off, because the name is long", async () => {
    const { declare } = await operator();
    const link = await connectDriver();
    const queue = testQueue("x".repeat(110));
    const options = { ...DEAD(queue.name), "x-queue-type": "quorum", "x-dead-letter-routing-key": "elsewhere" };
    await declare(queue.name, { arguments: options });
    const error = await refusal(link, take(link.connection, queue));
    expect([error.code, error.message.includes(queue.name)]).toEqual(["ALREADY_EXISTS", true]);
    expect(error.message).toContain(`(wanted: x-dead-letter-routing-key = ${queue.name}.dead)`);
    expect(error.message).toContain("is there with another x-dead-letter-routing-key");
    expect(link.lost).toEqual([]);
  });

  it("is told too where it is exclusive to somebody else", async () => {
    const { declare } = await operator();
    const link = await connectDriver();
    // Gone with the connection of the one who declared it.
    const queue = { name: uniqueName("exclusive"), deadLetterQueue: undefined, lanes: false };
    await declare(queue.name, { exclusive: true });
    const error = await refusal(link, take(link.connection, queue));
    expect(error.code).toBe("ALREADY_EXISTS");
    expect(error.message).toContain(
      `the queue "${queue.name}" is exclusive to another connection, wanted is one for all`,
    );
    expect(link.lost).toEqual([]);
  });

  it.each([
    ["of another type", "topic", { durable: true }, /type = topic, wanted is headers/],
    ["not durable", "headers", { durable: false }, /durable = false, wanted is true/],
  ])("has its like in an exchange %s", async (_, type, options, told) => {
    const model = await connect(brokerUrl);
    onTestFinished(() => model.close());
    const channel = await model.createChannel();
    const name = uniqueName("mismatch");
    await channel.assertExchange(name, type, options);
    onTestFinished(async () => {
      await channel.deleteExchange(name);
    });
    const link = await connectDriver();
    const error = await refusal(link, link.connection.publish({ kind: "broadcast", name }, wire("x")));
    expect(error.code).toBe("ALREADY_EXISTS");
    expect(error.message).toContain(`the exchange "${name}" is there with`);
    expect(error.message).toMatch(told);
    expect(link.lost).toEqual([]);
  });

  it("ends its consumer with the error, once; no link is made anew, and the others go on", async () => {
    const { declare, deleteQueue } = await operator();
    const observed: Observation[] = [];
    // A quorum queue that two declare at the same moment can cost a link by itself.
    const driver = rabbitmqDriver({ url: brokerUrl, closeTimeoutMs: 2_000, queueType: "classic" });
    const messaging = createMessaging({ driver, observers: [(item) => observed.push(item)] });
    onTestFinished(() => messaging.close({ drainMs: 0 }));
    const [name, other] = [testQueue("changed").name, testQueue("other").name];
    const consumer = await messaging.queue(name).consume(async () => undefined);
    const seen: string[] = [];
    await messaging.queue(other).consume(async ({ body }) => {
      seen.push(Buffer.from(body).toString());
    });
    // Before the consumer is back, somebody else makes it otherwise. Who is first is a matter of luck, and a consumer that found
    // its queue in time takes what is there.
    const told = () => observed.flatMap((item) => (item.type === "consumer" && item.queue === name ? [item] : []));
    for (let round = 0; round < 20 && consumer.state !== "closed"; round += 1) {
      await deleteQueue(name);
      await declare(name, { durable: true }).catch(() => {});
      await waitUntil(() => consumer.state === "closed", { what: "its end", timeoutMs: 1_000 }).catch(() => {});
    }
    expect(
      consumer.state,
      told()
        .map(({ state, error }) => `${state} ${error?.message}`)
        .join("\n"),
    ).toBe("closed");
    const error = await consumer.closed;
    expect(MessagingError.is(error, "ALREADY_EXISTS")).toBe(true);
    expect(consumer.state).toBe("closed");
    const refused = await messaging
      .queue(name)
      .consume(async () => undefined)
      .catch((caught: unknown) => caught);
    expect(MessagingError.is(refused, "ALREADY_EXISTS")).toBe(true);
    await messaging.queue(other).publish({ body: Buffer.from("on") });
    await eventually(() => seen.length === 1, "the other queue's message");
    expect(observed.flatMap((item) => (item.type === "connection" ? [item.state] : []))).toEqual([
      "connecting",
      "open",
    ]);
    const lost = observed.filter(
      (item) => item.type === "consumer" && item.queue === other && item.state !== "running",
    );
    expect(lost).toEqual([]);
  });
});
