import { describe, expect, it, onTestFinished } from "vitest";
import { ConsumerWatch, type WatchedConsumer } from "../../../adapters/rabbitmq/consumer-watch.js";
import { RabbitmqDriver } from "../../../adapters/rabbitmq/driver.js";
import { DelayLadder } from "../../../adapters/rabbitmq/ladder.js";
import { resolveRabbitmqOptions } from "../../../adapters/rabbitmq/options.js";
import { brokerNode, brokerUrl } from "./broker.js";
import { connectDriver, eventually, operator, take, testQueue, wire } from "./rig.js";

const TIMES = { lookMs: 300, graceMs: 300 };

/** Each has one chance in four or so to be forgotten by the broker. */
const QUEUES = 10;

function watchful(more: { readonly queueType?: "quorum" | "classic" } = {}): RabbitmqDriver {
  return new RabbitmqDriver(resolveRabbitmqOptions({ url: brokerUrl, ...more }), new DelayLadder(), TIMES);
}

describe("a rabbitmq consumer that the broker has forgotten", () => {
  it("is ended when its queue was deleted and is declared anew by this side's next publish", async () => {
    const [{ connection }, { deleteQueue }] = [await connectDriver(watchful()), await operator()];
    const queues = Array.from({ length: QUEUES }, () => testQueue("deleted"));
    const takings = await Promise.all(
      queues.map(async (queue) => {
        const taking = await take(connection, queue, { settle: (delivery) => void delivery.settle("ack") });
        await connection.publish({ kind: "queue", queue }, wire("before"));
        await taking.at(0);
        return taking;
      }),
    );
    await Promise.all(
      queues.map(async (queue) => {
        await deleteQueue(queue.name);
        await connection.publish({ kind: "queue", queue }, wire("after"));
      }),
    );
    await eventually(
      () => takings.every(({ lost }) => lost.length === 1),
      () => `all consumers to be lost, there are ${takings.filter(({ lost }) => lost.length === 1).length}`,
      10_000,
    );
    // What the broker had handed to those that it forgot comes to the next one.
    for (const queue of queues)
      expect(Buffer.from((await (await take(connection, queue)).at(0)).message.body).toString()).toBe("after");
  });

  it("is ended when messages are ready and none comes, with the reason; one that has all it can hold is not", async () => {
    const { connection } = await connectDriver(watchful());
    const [queue, full] = [testQueue("forgotten"), testQueue("full")];
    const [taking, holding] = [await take(connection, queue), await take(connection, full, { prefetch: 1 })];
    for (const body of ["one", "two", "three"]) await connection.publish({ kind: "queue", queue: full }, wire(body));
    await forgetConsumers(queue.name);
    await connection.publish({ kind: "queue", queue }, wire("unseen"));
    await eventually(() => taking.lost.length === 1, "the consumer to be lost");
    expect(String(taking.lost[0])).toMatch(/forgotten the consumer.*1 messages are ready in queue "forgotten /);
    expect([holding.lost, holding.deliveries.length, taking.deliveries]).toEqual([[], 1, []]);
    expect((await (await take(connection, queue)).at(0)).redelivered).toBe(false);
  });

  it("is ended by the broker when its queue is a classic one", async () => {
    const { connection } = await connectDriver(watchful({ queueType: "classic" }));
    const [queue, requests] = [testQueue("classic"), { ...testQueue("lanes"), lanes: true }];
    await take(connection, queue);
    await take(connection, requests, { lane: "standard" });
    const rows = (await brokerNode().control("list_consumers", "queue_name", "arguments")).split("\n");
    for (const name of [queue.name, `${requests.name}.standard`]) {
      expect(rows.filter((row) => row.startsWith(name))).toEqual([
        expect.stringMatching(/x-cancel-on-ha-failover.*true/),
      ]);
    }
  });
});

describe("the watch over consumers", () => {
  it("ends one sooner than one that it has ended in vain, and none that gets messages", async () => {
    const looks: string[] = [];
    const watch = new ConsumerWatch(
      (queue) => {
        looks.push(queue);
        return Promise.resolve(1);
      },
      { lookMs: 5, graceMs: 5 },
    );
    onTestFinished(() => watch.stop());
    let arrivals = 0;
    const served = {
      queue: "served",
      hasRoom: true,
      lose: unexpected,
      get arrivals() {
        arrivals += 1;
        return arrivals;
      },
    };
    watch.add(served);
    const seen: number[] = [];
    const again = (): void => {
      const before = looks.length;
      const standby = consumer("standby", () => {
        seen.push(looks.length - before);
        watch.delete(standby);
        again();
      });
      watch.add(standby);
    };
    again();
    await eventually(() => seen.length === 3, "three ends");
    expect(seen).toEqual([2, 4, 8]);
  });

  it("ends those whose queue is gone, and what was there before its queue was found to be deleted", async () => {
    const missing = Object.assign(new Error("no queue"), { code: 404 });
    const watch = new ConsumerWatch((queue) => (queue === "gone" ? Promise.reject(missing) : Promise.resolve(0)), {
      lookMs: 20,
      graceMs: 50,
    });
    onTestFinished(() => watch.stop());
    const lost: string[] = [];
    const add = (name: string, queue: string): WatchedConsumer => {
      const added = consumer(queue, (error) => {
        lost.push(`${name}: ${String(error)}`);
        watch.delete(added);
      });
      watch.add(added);
      return added;
    };
    add("one", "gone");
    add("old", "deleted");
    watch.deleted("deleted");
    add("new", "deleted");
    await eventually(() => lost.length === 2, "two ends");
    expect(lost.sort()).toEqual([
      expect.stringMatching(/^old: .*queue "deleted" was deleted/),
      expect.stringMatching(/^one: .*queue "gone" is gone/),
    ]);
  });
});

function consumer(queue: string, lose: (error: unknown) => void = unexpected): WatchedConsumer {
  return { queue, arrivals: 0, hasRoom: true, lose };
}

function unexpected(error: unknown): void {
  throw error;
}

/** As the broker's own fault does: the queue has no consumer any more, and nobody is told. */
async function forgetConsumers(queue: string): Promise<void> {
  await brokerNode().control(
    "eval",
    `{ok, Queue} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"${queue}">>)),
     [{ok, _, _} = ra:process_command(amqqueue:get_pid(Queue), rabbit_fifo:make_checkout({element(2, Consumer), element(1, Consumer)}, cancel, #{}))
      || Consumer <- rabbit_amqqueue:consumers(Queue)].`,
  );
}
