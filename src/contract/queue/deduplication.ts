import assert from "node:assert";
import type { PublishOptions } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { bytes } from "../text.js";
import { post, take, texts } from "./steps.js";

const MINUTE_MS = 60_000;

function publish(
  context: ContractContext,
  queue: ReturnType<Awaited<ReturnType<ContractContext["node"]>>["messaging"]["queue"]>,
  body: string,
  messageId: string,
  options: PublishOptions = { uniqueForMs: MINUTE_MS },
): Promise<void> {
  return context.soon(queue.publish({ body: bytes(body), messageId }, options), `publish of ${body}`);
}

/** A publisher that does not know whether it has published may say it again. */
export const deduplicationCases: readonly ContractCase[] = [
  {
    id: "Q-133",
    sentence: "with uniqueForMs a messageId is stored once, and each further publish of it resolves like the first",
    where: { "queue.deduplication": true },
    async run(context) {
      const [first, second] = [await context.node(), await context.node()];
      const name = context.name("unique");
      const queue = first.messaging.queue(name);
      await publish(context, queue, "one", "id-1");
      await Promise.all([queue, second.messaging.queue(name)].map((one) => publish(context, one, "again", "id-1")));
      await publish(context, queue, "two", "id-2");
      await publish(context, first.messaging.queue(`${name} other`), "elsewhere", "id-1");
      const { seen } = await take(context, queue);
      await seen.count(2);
      // Whatever became of the first: it was handled, and still counts.
      await context.soon((await seen.at(0)).delivery.settled, "the ack");
      await publish(context, queue, "after", "id-1");
      await post(context, queue, "marker");
      await seen.find((item) => item.text === "marker", "the marker");
      assert.deepEqual(texts(seen), ["one", "two", "marker"]);
      const elsewhere = await take(context, first.messaging.queue(`${name} other`));
      assert.equal((await elsewhere.seen.at(0)).text, "elsewhere");
    },
  },
  {
    id: "Q-134",
    sentence: "publishes of one messageId at the same time, with uniqueForMs, all resolve, and one is stored",
    where: { "queue.deduplication": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("at-once"));
      await Promise.all(Array.from({ length: 20 }, (_, index) => publish(context, queue, `${index}`, "id-1")));
      await post(context, queue, "marker");
      const { seen } = await take(context, queue);
      await seen.find((item) => item.text === "marker", "the marker");
      assert.equal(seen.items.length, 2, String(seen));
    },
  },
  {
    id: "Q-135",
    sentence: "after uniqueForMs the same messageId is stored again; without the option each publish is",
    where: { "queue.deduplication": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("later"));
      const uniqueForMs = context.unhurried(500);
      await publish(context, queue, "one", "id-1", { uniqueForMs });
      await publish(context, queue, "lost", "id-1", { uniqueForMs });
      await context.window(uniqueForMs + 100, "the time within which the messageId counts is over then");
      await publish(context, queue, "two", "id-1", { uniqueForMs });
      await publish(context, queue, "three", "id-1", {});
      await post(context, queue, "marker");
      const { seen } = await take(context, queue);
      await seen.find((item) => item.text === "marker", "the marker");
      assert.deepEqual(texts(seen), ["one", "two", "three", "marker"]);
    },
  },
  {
    id: "Q-136",
    sentence: "uniqueForMs without a messageId, or that is no time, is refused with INVALID_ARGUMENT",
    where: { "queue.deduplication": true },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("nonsense"));
      const nameless = () => queue.publish({ body: bytes("x") }, { uniqueForMs: MINUTE_MS });
      assert.match((await context.refused(nameless, "INVALID_ARGUMENT", "publish without an id")).message, /messageId/);
      for (const uniqueForMs of [0, -1, Number.NaN]) {
        const attempt = () => queue.publish({ body: bytes("x"), messageId: "id-1" }, { uniqueForMs });
        await context.refused(attempt, "INVALID_ARGUMENT", `publish with uniqueForMs ${uniqueForMs}`);
      }
    },
  },
  {
    id: "Q-137",
    sentence: "without deduplication a publish with uniqueForMs is refused with UNSUPPORTED, and nothing is stored",
    where: { "queue.deduplication": false },
    async run(context) {
      const { messaging } = await context.node();
      const queue = messaging.queue(context.name("not-unique"));
      const attempt = () => queue.publish({ body: bytes("x"), messageId: "id-1" }, { uniqueForMs: MINUTE_MS });
      await context.unsupported(attempt, "deduplication", "publish with uniqueForMs");
      await post(context, queue, "marker");
      const { seen } = await take(context, queue);
      assert.equal((await seen.at(0)).text, "marker");
    },
  },
];
