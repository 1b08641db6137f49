import assert from "node:assert";
import { type DriverConnection, FAILURES_HEADER, LANES, type QueueSpec } from "../../driver/index.js";
import type { Priority } from "../../index.js";
import type { ContractCase } from "../case.js";
import type { ContractContext } from "../context.js";
import { numbered } from "../text.js";
import { draw, drawn, type Out, send, settle, spec, wire } from "./steps.js";

const FULL = 10;

function lanesSpec(context: ContractContext, purpose: string): QueueSpec {
  return { name: context.name(purpose), deadLetterQueue: undefined, lanes: true };
}

async function sendTo(
  context: ContractContext,
  connection: DriverConnection,
  { queue, lane }: { readonly queue: QueueSpec; readonly lane: Priority },
  ...bodies: string[]
): Promise<void> {
  for (const body of bodies) {
    const publishing = connection.publish({ kind: "queue", queue, lane }, wire(body));
    await context.soon(publishing, `publish of ${body} to ${lane}`);
  }
}

/** Proves that nothing but `expected` is in the lane: a message that is published now comes right after. */
async function laneHolds(
  context: ContractContext,
  at: { readonly queue: QueueSpec; readonly lane: Priority },
  expected: readonly string[],
): Promise<void> {
  const link = await context.link();
  await sendTo(context, link.connection, at, "marker");
  const { out } = await draw(context, link, at.queue, { prefetch: FULL, lane: at.lane });
  await out.find(({ text }) => text === "marker", `the marker in ${at.lane}`);
  assert.deepEqual(drawn(out), [...expected, "marker"]);
  await context.soon(link.connection.close(), "close");
}

/** Queues with lanes: three lines that know nothing of each other. */
export const driverLaneCases: readonly ContractCase[] = [
  {
    id: "D-37",
    sentence:
      "the lane of an address is the lane that it comes from: no lane means standard, and a message's priority changes nothing",
    async run(context) {
      const queue = lanesSpec(context, "lanes");
      const { connection } = await context.link();
      for (const lane of LANES) await sendTo(context, connection, { queue, lane }, `${lane} 1`, `${lane} 2`);
      const bulk = { kind: "queue", queue, lane: "bulk" } as const;
      await context.soon(connection.publish(bulk, wire("bulk 3", { priority: "expedite" })), "publish");
      await context.soon(connection.publish({ kind: "queue", queue }, wire("standard 3")), "publish without a lane");
      await laneHolds(context, { queue, lane: "expedite" }, ["expedite 1", "expedite 2"]);
      await laneHolds(context, { queue, lane: "standard" }, ["standard 1", "standard 2", "standard 3"]);
      await laneHolds(context, { queue, lane: "bulk" }, ["bulk 1", "bulk 2", "bulk 3"]);
    },
  },
  {
    id: "D-38",
    sentence: "a lane whose consumer is full holds up neither the other lanes nor their publishers",
    async run(context) {
      const queue = lanesSpec(context, "full-lane");
      const link = await context.link();
      const full = await draw(context, link, queue, { prefetch: 1, lane: "standard" });
      const urgent = await draw(context, link, queue, { prefetch: 1, lane: "expedite" });
      await sendTo(context, link.connection, { queue, lane: "standard" }, ...numbered("s", 5));
      await full.out.count(1);
      await sendTo(context, link.connection, { queue, lane: "expedite" }, "urgent");
      assert.equal((await urgent.out.at(0)).text, "urgent");
      await sendTo(context, link.connection, { queue, lane: "bulk" }, "b-0");
      await laneHolds(context, { queue, lane: "bulk" }, ["b-0"]);
      assert.deepEqual(drawn(full.out), ["s-0"]);
      await settle(context, await full.out.at(0));
      assert.equal((await full.out.at(1)).text, "s-1");
    },
  },
  {
    id: "D-39",
    sentence: "without a lane a consumer takes from all three, with its prefetch from each, until it stops",
    async run(context) {
      const queue = lanesSpec(context, "all-lanes");
      const link = await context.link();
      const { consumer, out, lost } = await draw(context, link, queue, 1);
      for (const lane of LANES) await sendTo(context, link.connection, { queue, lane }, `${lane} 1`, `${lane} 2`);
      await out.count(3);
      assert.deepEqual(drawn(out).sort(), ["bulk 1", "expedite 1", "standard 1"]);
      await settle(context, await out.find(({ text }) => text === "bulk 1", "bulk 1"));
      assert.equal((await out.at(3)).text, "bulk 2");
      await context.soon(consumer.setPrefetch(2), "setPrefetch(2)");
      await out.count(6);
      await context.soon(consumer.stop(), "stop");
      for (const { delivery } of out.items.slice(1)) await context.soon(delivery.settle("ack"), "settle after stop");
      for (const lane of LANES) await laneHolds(context, { queue, lane }, []);
      assert.equal(out.items.length, 6);
      assert.equal(lost.items.length, 0, "a stop is no loss");
    },
  },
  {
    id: "D-40",
    sentence: "setPrefetch of one lane raises, lowers and pauses that lane alone, exactly",
    async run(context) {
      const queue = lanesSpec(context, "lane-prefetch");
      const link = await context.link();
      const bulk = await draw(context, link, queue, { prefetch: 2, lane: "bulk" });
      const other = await draw(context, link, queue, { prefetch: 3, lane: "standard" });
      await sendTo(context, link.connection, { queue, lane: "bulk" }, ...numbered("b", 9));
      await bulk.out.count(2);
      await context.soon(bulk.consumer.setPrefetch(4), "setPrefetch(4)");
      await bulk.out.count(4);
      await context.soon(bulk.consumer.setPrefetch(1), "setPrefetch(1)");
      for (const index of [0, 1, 2]) await settle(context, await bulk.out.at(index));
      await context.soon(bulk.consumer.setPrefetch(2), "setPrefetch(2)");
      await bulk.out.count(5);
      await context.soon(bulk.consumer.setPrefetch(0), "setPrefetch(0)");
      for (const index of [3, 4]) await settle(context, await bulk.out.at(index));
      await sendTo(context, link.connection, { queue, lane: "standard" }, ...numbered("s", 3));
      await other.out.count(3);
      await laneHolds(context, { queue, lane: "bulk" }, ["b-5", "b-6", "b-7", "b-8"]);
      assert.deepEqual(drawn(bulk.out), numbered("b", 5));
    },
  },
  {
    id: "D-46",
    sentence:
      "a lane that is lowered and raised again is used to the full, also while what was out before is still out",
    async run(context) {
      const queue = lanesSpec(context, "lane-refilled");
      const link = await context.link();
      const { consumer, out } = await draw(context, link, queue, { prefetch: 5, lane: "standard" });
      await sendTo(context, link.connection, { queue, lane: "standard" }, ...numbered("s", 12));
      await out.count(5);
      for (const prefetch of [3, 4, 5])
        await context.soon(consumer.setPrefetch(prefetch), `setPrefetch(${prefetch}) with 5 out`);
      for (const index of [0, 1, 2, 3]) {
        await settle(context, await out.at(index));
        await out.count(6 + index);
      }
      await context.soon(consumer.stop(), "stop");
      assert.deepEqual(drawn(out), numbered("s", 9));
    },
  },
  {
    id: "D-41",
    sentence: "room that moves from one lane to another under load is never there twice: lowered, counted, then raised",
    async run(context) {
      const queue = lanesSpec(context, "lending");
      const link = await context.link();
      const open = { standard: 0, bulk: 0 };
      let most = 0;
      const work =
        (lane: keyof typeof open) =>
        ({ delivery }: Out): void => {
          open[lane] += 1;
          most = Math.max(most, open.standard + open.bulk);
          setImmediate(() => {
            open[lane] -= 1;
            void delivery.settle("ack");
          });
        };
      const standard = await draw(context, link, queue, { prefetch: 5, lane: "standard" }, work("standard"));
      const bulk = await draw(context, link, queue, { prefetch: 5, lane: "bulk" }, work("bulk"));
      const publishing = ["standard", "bulk"].flatMap((lane) =>
        numbered(lane, 300).map((body) =>
          link.connection.publish({ kind: "queue", queue, lane: lane as Priority }, wire(body)),
        ),
      );
      const sides = [
        { lender: standard, lane: "standard", borrower: bulk },
        { lender: bulk, lane: "bulk", borrower: standard },
      ] as const;
      for (let round = 0; round < 6; round += 1) {
        for (const { lender, lane, borrower } of sides) {
          await context.soon(lender.consumer.setPrefetch(2), "setPrefetch(2) of the lender");
          await context.until(
            () => open[lane] <= 2,
            () => `${open[lane]} of ${lane} are out, although 2 are allowed`,
          );
          await context.soon(borrower.consumer.setPrefetch(8), "setPrefetch(8) of the borrower");
          await context.soon(borrower.consumer.setPrefetch(5), "setPrefetch(5) of the borrower");
          const after = lane === "standard" ? "bulk" : "standard";
          await context.until(
            () => open[after] <= 5,
            () => `${open[after]} of ${after} are out, although 5 are allowed`,
          );
          await context.soon(lender.consumer.setPrefetch(5), "setPrefetch(5) of the lender");
        }
      }
      await context.soon(Promise.all(publishing), "600 publishes");
      await standard.out.count(300, 5_000);
      await bulk.out.count(300, 5_000);
      assert.ok(most <= 10, `${most} were out at once; both lanes together allow 10`);
      assert.deepEqual([standard.out.items.length, bulk.out.items.length], [300, 300], "something came twice");
    },
  },
  {
    id: "D-42",
    sentence: "what expires in a lane is dropped: it is never delivered, and goes to no dead letters",
    where: { "queue.expiry": true },
    async run(context) {
      const queue = lanesSpec(context, "lane-expiry");
      const lane = "expedite";
      const link = await context.link();
      const { out, consumer } = await draw(context, link, queue, { prefetch: 1, lane });
      const publish = async (body: string, expiresInMs: number) => {
        const publishing = link.connection.publish({ kind: "queue", queue, lane }, wire(body, { expiresInMs }));
        await context.soon(publishing, `publish of ${body}`);
      };
      await publish("held", 60_000);
      const held = await out.at(0);
      await publish("old", 100);
      await publish("fresh", 60_000);
      await context.window(400, "four times the expiry, in which a broker that expires what waits has done so");
      await settle(context, held);
      await settle(context, await out.at(1));
      await context.soon(consumer.stop(), "stop");
      await laneHolds(context, { queue, lane }, []);
      assert.deepEqual(drawn(out), ["held", "fresh"]);
      for (const name of [`${queue.name}.dead`, `${queue.name}.${lane}.dead`]) {
        const dead: QueueSpec = { name, deadLetterQueue: undefined, lanes: false };
        await send(context, link.connection, dead, "marker");
        const found = await draw(context, link, dead, FULL);
        await found.out.count(1);
        assert.deepEqual(drawn(found.out), ["marker"]);
      }
    },
  },
  {
    id: "D-43",
    sentence: "release brings a message back to its lane as it was, marked as redelivered; retry with its new headers",
    async run(context) {
      const queue = lanesSpec(context, "lane-release");
      const lane = "bulk";
      const link = await context.link();
      const { out } = await draw(context, link, queue, { prefetch: 1, lane });
      const message = wire("one", { messageId: "id-1", headers: { kept: "yes" }, correlationId: "corr-1" });
      await context.soon(link.connection.publish({ kind: "queue", queue, lane }, message), "publish");
      await settle(context, await out.at(0), "release");
      const released = await out.at(1);
      assert.equal(released.delivery.redelivered, true);
      assert.deepEqual({ ...released.delivery.message.headers }, { kept: "yes" });
      await settle(context, released, { retryInMs: 0, headers: { kept: "still", [FAILURES_HEADER]: "1" } });
      const retried = await out.at(2);
      for (const { delivery } of [released, retried]) {
        assert.equal(delivery.message.messageId, "id-1");
        assert.equal(delivery.message.correlationId, "corr-1");
      }
      assert.deepEqual({ ...retried.delivery.message.headers }, { kept: "still", [FAILURES_HEADER]: "1" });
      await settle(context, retried);
      for (const each of LANES) if (each !== lane) await laneHolds(context, { queue, lane: each }, []);
    },
  },
  {
    id: "D-44",
    sentence: "what is unsettled in a lane comes again from that lane after close, marked as redelivered",
    async run(context) {
      const queue = lanesSpec(context, "lane-unsettled");
      const first = await context.link();
      const { out } = await draw(context, first, queue, FULL);
      for (const lane of LANES) await sendTo(context, first.connection, { queue, lane }, lane);
      await out.count(3);
      await context.soon(first.connection.close(), "close");
      const link = await context.link();
      for (const lane of LANES) {
        const again = await draw(context, link, queue, { prefetch: FULL, lane });
        const { text, delivery } = await again.out.at(0);
        assert.equal(text, lane);
        assert.equal(delivery.redelivered, true);
      }
    },
  },
  {
    id: "D-45",
    sentence: "a queue with lanes and one without are two queues, also under the same name",
    async run(context) {
      const plain = spec(context, "same-name");
      const queue: QueueSpec = { name: plain.name, deadLetterQueue: undefined, lanes: true };
      const link = await context.link();
      await send(context, link.connection, plain, "plain");
      for (const lane of LANES) await sendTo(context, link.connection, { queue, lane }, lane);
      const { out } = await draw(context, link, plain, FULL);
      await send(context, link.connection, plain, "marker");
      await out.find(({ text }) => text === "marker", "the marker");
      assert.deepEqual(drawn(out), ["plain", "marker"]);
      for (const lane of LANES) await laneHolds(context, { queue, lane }, [lane]);
    },
  },
];
