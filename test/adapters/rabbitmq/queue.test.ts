import { describe, expect, it, onTestFinished } from "vitest";
import { brokerQueue } from "../../../adapters/rabbitmq/broker-queue.js";
import { DeclarationTurns } from "../../../adapters/rabbitmq/declaration-turns.js";
import { DeclaringChannel } from "../../../adapters/rabbitmq/declaring-channel.js";
import { DelayLadder } from "../../../adapters/rabbitmq/ladder.js";
import { openLink } from "../../../adapters/rabbitmq/link.js";
import { resolveRabbitmqOptions } from "../../../adapters/rabbitmq/options.js";
import { Topology } from "../../../adapters/rabbitmq/topology.js";
import {
  DEAD_AT_HEADER,
  DEAD_ATTEMPTS_HEADER,
  DEAD_QUEUE_HEADER,
  DEAD_REASON_HEADER,
  type QueueSpec,
} from "../../../src/driver/index.js";
import { brokerUrl, closeConsumingChannels, uniqueName } from "./broker.js";
import {
  bodyOf,
  connectDriver,
  deadLettersOf,
  eventually,
  operator,
  refusal,
  type Taking,
  take,
  testQueue,
  wire,
} from "./rig.js";

const types = ["quorum", "classic"] as const;

describe.each(types)("rabbitmq %s queue", (queueType) => {
  it("counts redeliveries if the broker does, after a release and after a lost connection", async () => {
    const first = await connectDriver({ queueType });
    const queue = testQueue("count");
    const taking = await take(first.connection, queue);
    await first.connection.publish({ kind: "queue", queue }, wire("one"));
    const counted = (deliveries: number): number | undefined => (queueType === "quorum" ? deliveries : undefined);
    const delivery = await taking.at(0);
    expect([delivery.deliveries, delivery.redelivered]).toEqual([counted(1), false]);
    expect(await delivery.settle("release")).toBe(true);
    const second = await taking.at(1);
    expect([second.deliveries, second.redelivered]).toEqual([counted(2), true]);
    await first.connection.close();
    expect(await second.settle("ack")).toBe(false);
    const next = await take((await connectDriver({ queueType })).connection, queue);
    const third = await next.at(0);
    expect([third.deliveries, third.redelivered]).toEqual([counted(3), true]);
    // A move is a new message to the broker.
    expect(await third.settle({ retryInMs: 0, headers: {} })).toBe(true);
    const moved = await next.at(1);
    expect([moved.deliveries, moved.redelivered]).toEqual([counted(1), false]);
  });

  it("acknowledges only what was settled, in whatever order, many at once", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("acks");
    const { at, deliveries } = await take(connection, queue, { prefetch: 100 });
    const bodies = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(bodies.map((body) => connection.publish({ kind: "queue", queue }, wire(body))));
    await at(99);
    const left = ["3", "50", "51", "98"];
    const rest = deliveries.filter((delivery) => !left.includes(bodyOf(delivery)));
    const settled = [...rest.slice(0, 20).reverse(), ...rest.slice(20)].map((delivery, index) =>
      delivery.settle(index % 7 === 6 ? { deadLetter: {} } : "ack"),
    );
    expect(new Set(await Promise.all(settled))).toEqual(new Set([true]));
    await connection.close();
    const { untilReady } = await operator();
    await untilReady(queue.name, left.length);
    const again = await take((await connectDriver({ queueType })).connection, queue);
    await again.at(left.length - 1);
    expect(again.deliveries.map(bodyOf).sort()).toEqual([...left].sort());
  });

  it("finishes retries and dead letters that were handed over before it closes: nothing is lost or doubled", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("close");
    const { at, deliveries } = await take(connection, queue, { prefetch: 60 });
    const bodies = Array.from({ length: 60 }, (_, index) => String(index));
    await Promise.all(bodies.map((body) => connection.publish({ kind: "queue", queue }, wire(body))));
    await at(59);
    const settled = deliveries.map((delivery, index) =>
      delivery.settle(index % 3 === 0 ? "ack" : index % 3 === 1 ? { deadLetter: {} } : { retryInMs: 0, headers: {} }),
    );
    await connection.close();
    expect(new Set(await Promise.all(settled))).toEqual(new Set([true]));
    const { untilReady } = await operator();
    await untilReady(queue.name, 20);
    await untilReady(`${queue.name}.dead`, 20);
  });

  it("tells what the broker itself dead-lettered like its own, and lets it be acknowledged", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("broker's death");
    await connection.publish({ kind: "queue", queue }, wire("old", { expiresInMs: 50, headers: { kept: "yes" } }));
    const { at } = await take(connection, deadLettersOf(queue));
    const delivery = await at(0);
    const { headers } = delivery.message;
    expect(headers).toEqual({
      kept: "yes",
      [DEAD_REASON_HEADER]: "expired",
      [DEAD_QUEUE_HEADER]: queue.name,
      [DEAD_AT_HEADER]: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      [DEAD_ATTEMPTS_HEADER]: "0",
    });
    expect(Math.abs(Date.parse(headers[DEAD_AT_HEADER] ?? "") - Date.now())).toBeLessThan(10_000);
    expect(delivery.deliveries).toBe(queueType === "quorum" ? 1 : undefined);
    expect(await delivery.settle("ack")).toBe(true);
    const { untilReady } = await operator();
    await untilReady(`${queue.name}.dead`, 0);
  });

  it("takes no time from what others wrote there: it is neither delayed for ever nor expired", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("times");
    const { at } = await take(connection, queue);
    const { publish } = await operator();
    await publish(queue.name, "late", { headers: { "fairlead-amqp-due-at": 2 ** 60 } });
    expect(bodyOf(await at(0))).toBe("late");
    await publish(queue.name, "old", { headers: { "fairlead-amqp-expires-at": -(2 ** 60) } });
    expect(bodyOf(await at(1))).toBe("old");
  });

  it("keeps a message whose dead letters are full, holds it back, and gives it out again", async () => {
    const { connection } = await connectDriver({ queueType, deadMaxMessages: 1 });
    const queue = testQueue("full");
    const { at } = await take(connection, queue);
    // To a quorum queue the limit is soft: it takes a few more before it tells its publishers.
    let index = 0;
    let reached = true;
    let tookMs = 0;
    while (reached && index < 20) {
      await connection.publish({ kind: "queue", queue }, wire(String(index)));
      const delivery = await at(index);
      const started = performance.now();
      reached = await delivery.settle({ deadLetter: { why: String(index) } });
      tookMs = performance.now() - started;
      index += 1;
    }
    expect(reached).toBe(false);
    expect(tookMs).toBeGreaterThan(900);
    const again = await at(index);
    expect([bodyOf(again), again.redelivered]).toEqual([String(index - 1), true]);
    const dead = await take(connection, deadLettersOf(queue), { settle: (delivery) => void delivery.settle("ack") });
    await dead.at(index - 2);
    expect(await again.settle({ deadLetter: { why: "at last" } })).toBe(true);
    await dead.at(index - 1);
    expect(dead.deliveries.map(bodyOf)).toEqual(Array.from({ length: index }, (_, body) => String(body)));
  });

  it("gives up, by the broker's own hand, what has no room for a word more in its headers", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("headers");
    const { publish } = await operator();
    const { at, deliveries } = await take(connection, queue);
    await publish(queue.name, "laden", { headers: { a: "x".repeat(32_600), b: "x".repeat(32_600) } });
    const laden = await at(0);
    const headers = { ...laden.message.headers, more: "x".repeat(1_000) };
    expect(await laden.settle({ deadLetter: headers })).toBe(true);
    const dead = await take(connection, deadLettersOf(queue));
    const given = await dead.at(0);
    expect([bodyOf(given), given.message.headers[DEAD_REASON_HEADER]]).toEqual(["laden", "rejected"]);
    expect(deliveries).toHaveLength(1);
  });

  it("tells the consumer that its channel was closed by the broker; the connection and the others go on", async () => {
    const { connection, lost } = await connectDriver({ queueType });
    const [queue, other] = [testQueue("closed channel"), testQueue("other")];
    const taking = await take(connection, queue);
    const otherTaking = await take(connection, other);
    await connection.publish({ kind: "queue", queue }, wire("one"));
    const out = await taking.at(0);
    await closeConsumingChannels(queue.name);
    await eventually(() => taking.lost.length === 1, "the loss");
    expect(await out.settle("ack")).toBe(false);
    const again = await take(connection, queue);
    expect((await again.at(0)).redelivered).toBe(true);
    await connection.publish({ kind: "queue", queue: other }, wire("two"));
    await otherTaking.at(0);
    expect([taking.lost.length, otherTaking.lost.length, lost.length]).toEqual([1, 0, 0]);
  });

  it("tells the consumer of a deleted queue; consuming declares it again, and so does publishing", async () => {
    const { connection, lost } = await connectDriver({ queueType });
    const queue = testQueue("deleted");
    const { deleteQueue } = await operator();
    const taking = await take(connection, queue);
    await connection.publish({ kind: "queue", queue }, wire("one"));
    const out = await taking.at(0);
    await deleteQueue(queue.name);
    await eventually(() => taking.lost.length === 1, "the loss");
    expect(String(taking.lost[0])).toContain(`was the queue "${queue.name}" deleted?`);
    expect(await out.settle("ack")).toBe(false);
    const bodies = Array.from({ length: 30 }, (_, index) => String(index));
    await Promise.all(bodies.map((body) => connection.publish({ kind: "queue", queue }, wire(body))));
    const again = await take(connection, queue, { prefetch: 50 });
    await again.at(29);
    expect(again.deliveries.map(bodyOf)).toEqual(bodies);
    expect(lost).toEqual([]);
  });

  it("raises and lowers its prefetch many times, never beyond it, and loses nothing", async () => {
    const { connection } = await connectDriver({ queueType });
    const queue = testQueue("prefetch");
    const bodies = Array.from({ length: 300 }, (_, index) => String(index));
    await Promise.all(bodies.map((body) => connection.publish({ kind: "queue", queue }, wire(body))));
    const taking: Taking = await take(connection, queue, { prefetch: 1 });
    const settled = new Set<number>();
    const out = (): number => taking.deliveries.length - settled.size;
    const settleSome = async (count: number): Promise<void> => {
      const open = taking.deliveries.flatMap((_, index) => (settled.has(index) ? [] : [index]));
      await Promise.all(
        open.slice(0, count).map(async (index) => {
          settled.add(index);
          expect(await taking.deliveries[index]?.settle("ack")).toBe(true);
        }),
      );
    };
    for (const prefetch of [5, 6, 7, 30, 12, 13, 3, 0, 9, 40, 8, 20]) {
      const before = out();
      await taking.consumer.setPrefetch(prefetch);
      const most = Math.max(before, prefetch);
      await settleSome(Math.ceil(out() / 2));
      if (prefetch > 0) {
        await eventually(() => out() >= Math.min(prefetch, 1), `some of ${prefetch} to be out`);
        await settleSome(out());
        await eventually(() => out() === prefetch, `${prefetch} to be out again`);
      }
      expect(out()).toBeLessThanOrEqual(most);
    }
    const [many, one] = [taking.consumer.setPrefetch(500), taking.consumer.setPrefetch(100)];
    await Promise.all([many, one]);
    await eventually(
      () => {
        void settleSome(100);
        return settled.size === bodies.length;
      },
      "all to be settled",
      10_000,
    );
    expect(taking.deliveries.map(bodyOf)).toEqual(bodies);
    expect(taking.lost).toEqual([]);
  });
});

describe("rabbitmq topology", () => {
  it("asks a broker from 4.0 on not to limit deliveries, and takes a queue that was declared before as it is", async () => {
    const options = resolveRabbitmqOptions({ url: brokerUrl });
    const [server] = options.servers;
    if (server === undefined) throw new Error("no server");
    const link = await openLink(server, options, "test", AbortSignal.timeout(10_000));
    onTestFinished(() => link.close(1_000));
    const topology = (unlimitedDeliveries: boolean): Topology => {
      const rules = { version: "test", quorum: true, unlimitedDeliveries, renewedCredentials: true };
      return new Topology(new DeclaringChannel(link, 9_000), options, rules, new DelayLadder(), new DeclarationTurns());
    };
    const [older, newer] = [brokerQueue(testQueue("before the upgrade")), brokerQueue(testQueue("after the upgrade"))];
    await topology(false).queue(older);
    await topology(true).queue(older);
    await topology(true).queue(newer);
    await expect(topology(false).queue(newer)).rejects.toThrow("x-delivery-limit = -1, wanted is none");
  });

  it("refuses a queue that is there with other properties, naming queue, property and both values", async () => {
    const quorum = await connectDriver();
    const classic = await connectDriver({ queueType: "classic" });
    const queue = testQueue("mismatch");
    await quorum.connection.publish({ kind: "queue", queue }, wire("one"));
    const limited = await connectDriver({ deadMaxMessages: 5 });
    const errors = await Promise.all([
      refusal(classic, classic.connection.publish({ kind: "queue", queue }, wire("two"))),
      refusal(classic, take(classic.connection, queue)),
      refusal(limited, take(limited.connection, queue)),
    ]);
    for (const error of errors) expect([error.code, error.retryable]).toEqual(["ALREADY_EXISTS", false]);
    for (const error of errors.slice(0, 2)) {
      expect(error.message).toContain(
        `queue "${queue.name}.dead" is there with x-queue-type = quorum, wanted is classic`,
      );
    }
    expect(errors[2]?.message).toMatch(/x-max-length = none, wanted is 5|x-overflow = none, wanted is reject-publish/);
    // A refused declaration costs nothing else.
    await classic.connection.publish({ kind: "queue", queue: testQueue("own") }, wire("three"));
    expect(classic.lost).toEqual([]);
  });

  it("refuses a broadcast whose exchange is of another type, and names that are the broker's own", async () => {
    const link = await connectDriver();
    const refusedName = await refusal(link, link.connection.publish({ kind: "broadcast", name: "amq.own" }, wire("x")));
    expect([refusedName.code, /amq\./.test(refusedName.message)]).toEqual(["INVALID_ARGUMENT", true]);
    const mismatch = await refusal(link, link.connection.publish({ kind: "broadcast", name: "amq.topic" }, wire("x")));
    expect([mismatch.code, mismatch.message.includes("type = topic, wanted is headers")]).toEqual([
      "ALREADY_EXISTS",
      true,
    ]);
    expect(link.lost).toEqual([]);
  });

  it("refuses a queue that the broker would take for its direct reply-to, before that ends the connection", async () => {
    const link = await connectDriver();
    const { connection } = link;
    const names = ["amq.rabbitmq.reply-to", "amq.rabbitmq.reply-to.a"];
    const queues = names.flatMap((name): QueueSpec[] => [
      { name, deadLetterQueue: `${name}.dead`, lanes: false },
      { name, deadLetterQueue: undefined, lanes: true },
      { name: uniqueName("its dead letters"), deadLetterQueue: name, lanes: false },
    ]);
    for (const queue of queues) {
      const refusals = await Promise.all([
        refusal(link, connection.publish({ kind: "queue", queue }, wire("x"))),
        refusal(link, connection.publish({ kind: "queue", queue }, wire("x", { delayMs: 1_000 }))),
        refusal(link, take(connection, queue)),
        refusal(link, connection.take?.(queue) ?? Promise.resolve()),
        refusal(link, connection.counts?.(queue) ?? Promise.resolve()),
      ]);
      expect(refusals.map(({ code }) => code)).toEqual(Array(5).fill("INVALID_ARGUMENT"));
      expect(refusals[0]?.message).toMatch(/^"amq\.rabbitmq\.reply-to[.a]*" cannot be a queue, .* choose a name/);
    }
    await connection.publish({ kind: "queue", queue: testQueue("another") }, wire("stored"));
    expect(link.lost).toEqual([]);
  });

  it("only looks, when told to check: what is missing is NOT_FOUND, what is there is used", async () => {
    const link = await connectDriver({ topology: "check" });
    const queue = testQueue("checked");
    const missing = await refusal(link, link.connection.publish({ kind: "queue", queue }, wire("one")));
    expect([missing.code, missing.message.includes(queue.name)]).toEqual(["NOT_FOUND", true]);
    expect((await refusal(link, take(link.connection, queue))).code).toBe("NOT_FOUND");
    await take((await connectDriver()).connection, queue, { prefetch: 0 });
    await link.connection.publish({ kind: "queue", queue }, wire("two"));
    expect(bodyOf(await (await take(link.connection, queue)).at(0))).toBe("two");
  });

  it("asks nothing, when told to: a missing queue is UNROUTABLE, a missing consumer's queue NOT_FOUND", async () => {
    const link = await connectDriver({ topology: "none" });
    const queue = testQueue("unasked");
    const unroutable = await refusal(link, link.connection.publish({ kind: "queue", queue }, wire("one")));
    expect([unroutable.code, unroutable.message.includes(queue.name)]).toEqual(["UNROUTABLE", true]);
    expect((await refusal(link, take(link.connection, queue))).code).toBe("NOT_FOUND");
    expect(link.lost).toEqual([]);
  });

  it("reopens the publishing channel that the broker closed: what was on it is refused, what comes after is stored", async () => {
    const { deleteExchange, declare } = await operator();
    const link = await connectDriver({ topology: "none" });
    const queue = testQueue("reopened");
    await declare(queue.name);
    await link.connection.publish({ kind: "queue", queue }, wire("before"));
    // Nobody declares the ladder here; without its exchange a delayed publish costs the channel.
    await deleteExchange("fairlead.delay.v1.01");
    const delayed = refusal(link, link.connection.publish({ kind: "queue", queue }, wire("lost", { delayMs: 2_000 })));
    const together = refusal(link, link.connection.publish({ kind: "queue", queue }, wire("together")));
    expect((await delayed).code).toBe("UNROUTABLE");
    expect((await together).code).toBe("UNAVAILABLE");
    await link.connection.publish({ kind: "queue", queue }, wire("after"));
    const { at } = await take(link.connection, queue);
    expect([bodyOf(await at(0)), bodyOf(await at(1))]).toEqual(["before", "after"]);
    expect(link.lost).toEqual([]);
  });
});
