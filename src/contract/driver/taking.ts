import assert from "node:assert";
import { type DeliveryPlace, FAILURES_HEADER, type QueueSpec, type WireDelivery } from "../../driver/index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext, ContractLink } from "../context.js";
import { text } from "../text.js";
import { draw, drawn, send, settle, spec, wire } from "./steps.js";

const WHERE = { inspection: ["ready", "all"] } as const;

async function take(context: ContractContext, link: ContractLink, queue: QueueSpec): Promise<WireDelivery | undefined> {
  const { connection } = link;
  assert.ok(connection.take !== undefined, "there is no take, although the capability inspection is not none");
  return context.soon(connection.take(queue), `take from ${queue.name}`);
}

async function taken(context: ContractContext, link: ContractLink, queue: QueueSpec): Promise<WireDelivery> {
  const delivery = await take(context, link, queue);
  assert.ok(delivery !== undefined, "take says that nothing is ready");
  return delivery;
}

async function settled(
  context: ContractContext,
  delivery: Pick<DeliveryPlace, "settle">,
  how: "ack" | "release",
): Promise<void> {
  assert.equal(await context.soon(delivery.settle(how), `settle with ${how}`), true, `${how} did not reach the broker`);
}

/** Messages that are taken one by one, for operators. */
export const driverTakingCases: readonly ContractCase[] = [
  {
    id: "D-47",
    sentence: "take hands out the next message each time, and undefined when none is ready",
    where: WHERE,
    async run(context) {
      const queue = spec(context, "take");
      const link = await context.link();
      const first = wire("one", { messageId: "id-1", headers: { kept: "yes", [FAILURES_HEADER]: "2" } });
      await context.soon(link.connection.publish({ kind: "queue", queue }, first), "publish");
      await send(context, link.connection, queue, "two");
      const [one, two] = [await taken(context, link, queue), await taken(context, link, queue)];
      assert.equal(one.message.messageId, "id-1");
      assert.deepEqual({ ...one.message.headers }, { kept: "yes", [FAILURES_HEADER]: "2" });
      assert.deepEqual([text(one.message.body), text(two.message.body)], ["one", "two"]);
      assert.equal(await take(context, link, queue), undefined);
      await settled(context, one, "ack");
      await settled(context, two, "ack");
      assert.equal(await take(context, link, queue), undefined);
      await send(context, link.connection, queue, "three");
      const three = await taken(context, link, queue);
      assert.equal(text(three.message.body), "three");
      await settled(context, three, "ack");
    },
  },
  {
    id: "D-48",
    sentence: "nobody else gets what was taken; released it keeps its place",
    where: WHERE,
    async run(context) {
      const queue = spec(context, "release");
      const [link, other] = [await context.link(), await context.link()];
      await send(context, link.connection, queue, "one", "two", "three");
      const [one, two] = [await taken(context, link, queue), await taken(context, link, queue)];
      const third = await taken(context, other, queue);
      assert.equal(text(third.message.body), "three");
      assert.equal(await take(context, other, queue), undefined);
      await settled(context, third, "ack");
      await settled(context, one.place ?? one, "release");
      await settled(context, two, "release");
      const { out } = await draw(context, link, queue, 5);
      await out.count(2);
      assert.deepEqual(drawn(out), ["one", "two"]);
      for (const item of out.items) await settle(context, item);
    },
  },
  {
    id: "D-49",
    sentence: "what was taken and not settled goes back when its connection ends",
    where: WHERE,
    async run(context) {
      const queue = spec(context, "ended");
      const [link, other] = [await context.link(), await context.link()];
      await send(context, link.connection, queue, "one", "two");
      await taken(context, link, queue);
      const acked = await taken(context, link, queue);
      void acked.settle("ack");
      await context.soon(link.connection.close(), "close");
      const { out } = await draw(context, other, queue, 5);
      assert.equal((await out.at(0)).text, "one");
      await send(context, other.connection, queue, "marker");
      assert.equal((await out.at(1)).text, "marker");
    },
  },
];
