import assert from "node:assert";
import { DEAD_AT_HEADER, DEAD_ATTEMPTS_HEADER, DEAD_QUEUE_HEADER, DEAD_REASON_HEADER } from "../../driver/index.js";
import { jsonCodec, MessagingError, type Settlement } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { bytes } from "../text.js";
import { consumeOptions, failWith, holdsOnly, post, type Seen, take, takeDead, texts } from "./steps.js";

interface Given {
  readonly answer: () => Settlement | Promise<Settlement | undefined>;
  readonly maxAttempts?: number;
}

/** Publishes one message, lets the handler give it up, and returns it as the dead-letter queue has it. */
async function givenUp(context: ContractContext, { answer, maxAttempts }: Given): Promise<Seen & { tries: number }> {
  const { messaging } = await context.node();
  const name = context.name("given-up");
  const { seen } = await take(context, messaging.queue(name), answer, maxAttempts === undefined ? {} : { maxAttempts });
  const message = { body: bytes("one"), messageId: "id-1", correlationId: "corr-1", headers: { kept: "ż" } };
  await context.soon(messaging.queue(name).publish(message), "publish");
  const dead = await (await takeDead(context, messaging, name)).at(0, 1_000);
  assert.equal(dead.text, "one");
  assert.equal(dead.delivery.messageId, "id-1");
  assert.equal(dead.delivery.correlationId, "corr-1");
  const { headers } = dead.delivery;
  assert.equal(headers.kept, "ż", "headers of the application are kept");
  assert.equal(headers[DEAD_QUEUE_HEADER], name);
  assert.ok(!Number.isNaN(Date.parse(headers[DEAD_AT_HEADER] ?? "")), `${DEAD_AT_HEADER} is no time`);
  const reserved = Object.keys(headers).filter((header) => header.startsWith("fairlead-"));
  assert.deepEqual(reserved, [], "reserved headers are hidden");
  assert.equal(dead.delivery.attempt, 1, "a dead letter starts to count anew");
  return { ...dead, tries: seen.items.length };
}

function assertDead({ delivery }: Seen, reason: string | RegExp, attempts: number): void {
  const { headers } = delivery;
  if (typeof reason === "string") assert.equal(headers[DEAD_REASON_HEADER], reason);
  else assert.match(headers[DEAD_REASON_HEADER] ?? "", reason);
  assert.equal(headers[DEAD_ATTEMPTS_HEADER], String(attempts));
}

/** What is given up is kept, with everything that helps to repair it. */
export const deadLetterCases: readonly ContractCase[] = [
  {
    id: "Q-44",
    sentence:
      "the failed attempt number maxAttempts dead-letters, with the last error's text, the queue and the attempts",
    where: { "queue.deadLetter": true },
    async run(context) {
      const dead = await givenUp(context, { answer: () => failWith(new Error("not today")), maxAttempts: 2 });
      assertDead(dead, "attempts used up: not today", 2);
      assert.equal(dead.tries, 2);
    },
  },
  {
    id: "Q-45",
    sentence: '"requeue" is limited by maxAttempts',
    where: { "queue.deadLetter": true },
    async run(context) {
      const dead = await givenUp(context, { answer: () => "requeue", maxAttempts: 3 });
      assertDead(dead, /^attempts used up: ./, 3);
      assert.equal(dead.tries, 3);
    },
  },
  {
    id: "Q-46",
    sentence: "{ retryInMs } is not limited by maxAttempts",
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("unlimited"));
      const options = context.capabilities.queue.deadLetter ? { maxAttempts: 2 } : {};
      const { seen } = await take(context, queue, (_, index) => (index < 4 ? { retryInMs: 10 } : "ack"), options);
      await post(context, queue, "one");
      assert.equal((await seen.at(4)).delivery.attempt, 5);
    },
  },
  {
    id: "Q-47",
    sentence: '"dead-letter" gives the message up at once, with the reason that the handler did',
    where: { "queue.deadLetter": true },
    async run(context) {
      const dead = await givenUp(context, { answer: () => "dead-letter" });
      assertDead(dead, "dead-lettered by the handler", 1);
      assert.equal(dead.tries, 1);
    },
  },
  {
    id: "Q-48",
    sentence: "{ deadLetter } gives the message up at once and keeps the reason beside it, unicode included",
    where: { "queue.deadLetter": true },
    async run(context) {
      const dead = await givenUp(context, { answer: () => ({ deadLetter: "kein Empfänger 🚚" }) });
      assertDead(dead, "kein Empfänger 🚚", 1);
    },
  },
  {
    id: "Q-49",
    sentence: "a MessagingError from a handler that is not retryable dead-letters at once, with its text",
    where: { "queue.deadLetter": true },
    async run(context) {
      const error = new MessagingError("INVALID_ARGUMENT", "no such customer");
      const dead = await givenUp(context, { answer: () => failWith(error) });
      assertDead(dead, /no such customer/, 1);
      assert.equal(dead.tries, 1);
    },
  },
  {
    id: "Q-50",
    sentence: "a body that cannot be decoded goes to the dead letters as malformed, unchanged; the consumer goes on",
    where: { "queue.deadLetter": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("malformed");
      const queue = messaging.queue(name, { codec: jsonCodec<string>() });
      const values = context.collector<string>("values", String);
      await context.soon(
        queue.consume(async ({ body }) => values.add(body)),
        "consume",
      );
      await post(context, messaging.queue(name), "{not json");
      await context.soon(queue.publish({ body: "good" }), "publish");
      assert.equal(await values.at(0), "good");
      const dead = await (await takeDead(context, messaging, name)).at(0);
      assert.equal(dead.text, "{not json");
      assert.match(dead.delivery.headers[DEAD_REASON_HEADER] ?? "", /^malformed: ./);
      assert.equal(dead.delivery.headers[DEAD_QUEUE_HEADER], name);
    },
  },
  {
    id: "Q-51",
    sentence: "a dead letter can be consumed, published again to its queue, and acknowledged",
    where: { "queue.deadLetter": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("republish");
      const { seen } = await take(context, messaging.queue(name), (_, index) => (index === 0 ? "dead-letter" : "ack"));
      await post(context, messaging.queue(name), "one");
      const dead = await take(context, messaging.queue(`${name}.dead`), async ({ delivery }) => {
        const { body, headers, messageId } = delivery;
        await messaging.queue(name).publish({ body, headers, messageId });
      });
      await dead.seen.count(1);
      const again = await seen.at(1);
      assert.equal(again.text, "one");
      assert.equal(again.delivery.attempt, 1);
      await context.soon(dead.consumer.close(), "close");
      await holdsOnly(context, messaging, `${name}.dead`);
    },
  },
  {
    id: "Q-52",
    sentence: "a dead-letter queue never gives up: what fails there, or is dead-lettered there, comes again",
    where: { "queue.deadLetter": true },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("dead-of-dead");
      await take(context, messaging.queue(name), () => "dead-letter");
      await post(context, messaging.queue(name), "one");
      const answers: Settlement[] = ["dead-letter", "requeue", "ack"];
      const dead = await take(context, messaging.queue(`${name}.dead`), (_, index) => answers[index], {
        maxAttempts: 1,
      });
      await dead.seen.count(3);
      assert.deepEqual(texts(dead.seen), ["one", "one", "one"]);
      assert.equal(dead.seen.items[0]?.delivery.headers[DEAD_REASON_HEADER], "dead-lettered by the handler");
    },
  },
  {
    id: "Q-53",
    sentence: "the observation of a dead letter names the reason",
    where: { "queue.deadLetter": true },
    async run(context) {
      const { messaging, observed } = await context.node();
      const name = context.name("dead-observed");
      await take(context, messaging.queue(name), () => ({ deadLetter: "no such customer" }));
      await post(context, messaging.queue(name), "one");
      await observed.find(
        (item) =>
          item.type === "settled" &&
          item.queue === name &&
          item.outcome === "dead-letter" &&
          item.reason === "no such customer" &&
          item.reached,
        "settled: dead-letter",
      );
    },
  },
  {
    id: "Q-54",
    sentence: "without dead letters a consumer that would need them is refused with UNSUPPORTED, and takes nothing",
    where: { "queue.deadLetter": false },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("no-dead-letters");
      await post(context, messaging.queue(name), "one");
      const stray = context.collector<string>("stray deliveries", String);
      const infinite = Number.POSITIVE_INFINITY;
      for (const options of [{}, { maxAttempts: infinite }, { maxDeliveries: infinite }]) {
        const attempt = () => messaging.queue(name).consume(async ({ messageId }) => stray.add(messageId), options);
        await context.unsupported(attempt, "deadLetter", `consume with ${JSON.stringify(Object.keys(options))}`);
      }
      await holdsOnly(context, messaging, name, ["one"]);
      assert.equal(stray.items.length, 0);
    },
  },
  {
    id: "Q-55",
    sentence:
      "without dead letters nothing is given up: what a handler dead-letters, settles with garbage, or cannot be decoded, comes again",
    where: { "queue.deadLetter": false },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("never-dead"));
      const answers: unknown[] = ["dead-letter", { deadLetter: "no such customer" }, "garbage", "ack"];
      const { seen } = await take(context, queue, (_, index) => answers[index] as "ack");
      await post(context, queue, "one");
      await seen.count(4);
      assert.deepEqual(texts(seen), ["one", "one", "one", "one"]);

      const name = context.name("never-malformed");
      const values = context.collector<string>("values", String);
      const reader = messaging.queue(name, { codec: jsonCodec<string>() });
      await post(context, messaging.queue(name), "{not json");
      const handler = async ({ body }: { body: string }): Promise<void> => values.add(body);
      const consumer = await context.soon(reader.consume(handler, consumeOptions(context, { prefetch: 5 })), "consume");
      await context.soon(reader.publish({ body: "good" }), "publish");
      assert.equal(await values.at(0), "good");
      await context.soon(consumer.close(), "close");
      await holdsOnly(context, messaging, name, ["{not json"]);
    },
  },
];
