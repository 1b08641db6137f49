import { expect, test } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Delivery, Settlement } from "../../../src/ports/message.js";
import type { DeliveryHandler } from "../../../src/ports/queue.js";
import { deferred } from "../../../src/util/deferred.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { scriptedDelivery } from "../../support/scripted-delivery.js";
import { fixture, opened, watch } from "../../support/scripted-messaging.js";

const lost = new MessagingError("UNAVAILABLE", "channel lost");

test("deliveries of a set-up that is given up are given back, and its consumer is stopped", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const gate = deferred<void>();
  connection.consumeGate = gate.promise;
  const abort = new AbortController();
  const handled = deferred<void>();
  const queue = rig.messaging.queue("orders");
  const consume = watch(queue.consume(() => handled.promise, { concurrency: 1, prefetch: 2, signal: abort.signal }));
  await rig.clock.settle();
  const deliveries = [scriptedDelivery("runs"), scriptedDelivery("waits")];
  for (const delivery of deliveries) connection.consumers[0]?.deliver(delivery);
  abort.abort();
  await rig.clock.settle();
  gate.resolve();
  handled.resolve();
  await rig.clock.pass(60_000);
  expect(consume).toMatchObject({ state: "rejected", error: { code: "ABORTED" } });
  expect(deliveries.map(({ settlements }) => settlements)).toEqual([["release"], ["release"]]);
  expect(connection.consumers[0]?.stops).toBe(1);
  expect(rig.clock.pending).toBe(0);
});

test("what takes the link down does not end a consumer that is being made anew on it", async () => {
  const rig = fixture();
  const first = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async () => "ack");
  await rig.clock.pass(6_000);
  first.consumers[0]?.lose(lost);
  first.consumeGate = new Promise(() => {});
  await rig.clock.pass(200);
  first.options.onLost(new MessagingError("UNSUPPORTED", "somebody else's mistake"));
  await rig.clock.pass(200);
  rig.driver.last.accept();
  await rig.clock.pass(6_000);
  expect(consumer.state).toBe("running");
  expect(rig.driver.last.consumers).toHaveLength(1);
});

test("a set-up that hangs is tried again, each failed try is told, and the consumer it brings late is stopped", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async () => "ack");
  await rig.clock.pass(6_000);
  const gate = deferred<void>();
  connection.consumeGate = gate.promise;
  connection.consumers[0]?.lose(lost);
  await rig.clock.pass(25_000);
  expect(consumer.state).toBe("recovering");
  expect(connection.consumers.length).toBeGreaterThanOrEqual(3);
  const told = rig.observations.filter((seen) => seen.type === "consumer" && seen.state === "recovering");
  expect(told.length).toBe(connection.consumers.length - 1);
  connection.consumeGate = Promise.resolve();
  await rig.clock.pass(15_000);
  expect(consumer.state).toBe("running");
  const given = connection.consumers.slice(1, -1);
  gate.resolve();
  await rig.clock.settle();
  expect(given.map(({ stops }) => stops)).toEqual(given.map(() => 1));
});

test("a change of prefetch that fails on a life that is over does not harm the next one", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async () => "ack");
  const gate = deferred<void>();
  connection.prefetchGate = gate.promise;
  consumer.setConcurrency(5);
  await rig.clock.settle();
  connection.consumers[0]?.lose(lost);
  await rig.clock.pass(1_000);
  expect(consumer.state).toBe("running");
  gate.reject(lost);
  await rig.clock.pass(1_000);
  expect(connection.consumers).toHaveLength(2);
  expect(connection.consumers[1]).toMatchObject({ prefetches: [5], stops: 0 });
});

test("a change of prefetch that hangs makes the consumer anew", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async () => "ack");
  connection.prefetchGate = new Promise(() => {});
  consumer.setConcurrency(5);
  await rig.clock.pass(11_000);
  expect(connection.consumers).toHaveLength(2);
  expect(connection.consumers[0]?.stops).toBe(1);
  expect(consumer.state).toBe("running");
});

test("a change of prefetch that a driver throws at makes the consumer anew, and does not keep the next one from it", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const { consume } = connection;
  connection.consume = async (...asked) => {
    const consumer = await consume.apply(connection, asked);
    return {
      stop: () => consumer.stop(),
      setPrefetch: (next) => {
        connection.consume = consume;
        if (next === 5) throw new Error("thrown, which it must not be");
        return consumer.setPrefetch(next);
      },
    };
  };
  const consumer = await rig.messaging.queue("orders").consume(async () => "ack", { concurrency: 1 });
  consumer.setConcurrency(5);
  await rig.clock.pass(11_000);
  consumer.setConcurrency(7);
  await rig.clock.settle();
  expect(connection.consumers).toHaveLength(2);
  expect(connection.consumers[1]?.prefetches.at(-1)).toBe(7);
  expect(rig.clock.pending).toBe(0);
});

test("a second close may be in more of a hurry than the first", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  connection.closing.resolve();
  const consumer = await rig.messaging.queue("orders").consume(() => new Promise<undefined>(() => {}));
  const hung = scriptedDelivery("hung");
  connection.consumers[0]?.deliver(hung);
  await rig.clock.settle();
  const first = watch(consumer.close({ drainMs: Number.POSITIVE_INFINITY }));
  await rig.clock.pass(60_000);
  expect(first.state).toBe("pending");
  const second = watch(rig.messaging.close({ drainMs: 100 }));
  await rig.clock.pass(500);
  expect([first.state, second.state]).toEqual(["resolved", "resolved"]);
  expect(hung.settlements).toEqual(["release"]);
  expect(rig.clock.pending).toBe(0);
});

test("a held retry does not hold up close: it goes back with what is left of its wait", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async (): Promise<Settlement> => ({ retryInMs: 900 }));
  const held = scriptedDelivery("held");
  connection.consumers[0]?.deliver(held);
  await rig.clock.pass(300);
  const closed = watch(consumer.close());
  await rig.clock.settle();
  expect(closed.state).toBe("resolved");
  expect(held.settlements).toEqual([{ retryInMs: 600, headers: { "fairlead-failures": "1" } }]);
});

test("losses count only in a row: a settlement begins the count anew; one never started is not lost to the count", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const gate = deferred<void>();
  const queue = rig.messaging.queue("orders");
  let runs = 0;
  const consumer = await queue.consume(
    async (): Promise<Settlement> => {
      runs += 1;
      if (runs === 1) return { retryInMs: 5_000 };
      await gate.promise;
      return "ack";
    },
    { concurrency: 1, prefetch: 5, maxDeliveries: 3 },
  );
  const [source] = connection.consumers;
  const retried = scriptedDelivery("retried", { "fairlead-losses": "1" }, 2);
  source?.deliver(retried);
  // One that was lost so often waits for others that may have been lost with it.
  await rig.clock.pass(200);
  expect(retried.settlements).toEqual([{ retryInMs: 5_000, headers: { "fairlead-failures": "1" } }]);

  const crashed = scriptedDelivery("crashed", { "fairlead-losses": "2" }, 2);
  source?.deliver(scriptedDelivery("running"));
  source?.deliver(crashed);
  const waiting = scriptedDelivery("waiting", { "fairlead-losses": "2" });
  source?.deliver(waiting);
  const foreign = scriptedDelivery("foreign", { "fairlead-losses": "1e9" });
  source?.deliver(foreign);
  consumer.setConcurrency(0);
  gate.resolve();
  await rig.clock.settle();
  expect(crashed.settlements).toMatchObject([
    { deadLetter: { "dead-letter-reason": "crash-loop", "dead-letter-attempts": "0" } },
  ]);
  expect(waiting.settlements).toEqual([
    { retryInMs: 0, headers: { "fairlead-losses": "2", "fairlead-released": "1" } },
  ]);
  expect(foreign.settlements).toEqual(["release"]);
});

test("a consumer that was closed is forgotten by the connection", async () => {
  const rig = fixture();
  await opened(rig);
  const weak: WeakRef<object>[] = [];
  for (let index = 0; index < 50; index += 1) {
    const consumer = await rig.messaging.queue(`orders ${index}`).consume(async () => "ack");
    weak.push(new WeakRef(consumer));
    await consumer.close();
  }
  rig.driver.last.consumers.length = 0;
  rig.observations.length = 0;
  await rig.clock.settle();
  collectGarbage();
  await rig.clock.settle();
  expect(weak.filter((reference) => reference.deref() !== undefined).length).toBeLessThan(5);
});

test("a handler may throw anything, also what has no text", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const consumer = await rig.messaging.queue("orders").consume(async (): Promise<Settlement> => {
    throw Object.create(null);
  });
  const delivery = scriptedDelivery("textless");
  connection.consumers[0]?.deliver(delivery);
  await rig.clock.pass(1_000);
  expect(consumer.inFlight).toBe(0);
  expect(delivery.settlements).toEqual([{ retryInMs: 0, headers: { "fairlead-failures": "1" } }]);
});

test("what comes through a life that is over is given back unhandled, and a late retry is not held", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const gate = deferred<void>();
  let runs = 0;
  await rig.messaging.queue("orders").consume(async (): Promise<Settlement> => {
    runs += 1;
    await gate.promise;
    return { retryInMs: 900 };
  });
  const [source] = connection.consumers;
  const [running, late] = [scriptedDelivery("running"), scriptedDelivery("late")];
  source?.deliver(running);
  await rig.clock.settle();
  source?.lose(lost);
  source?.deliver(late);
  gate.resolve();
  await rig.clock.settle();
  expect(runs).toBe(1);
  expect([running.settlements, late.settlements]).toEqual([["release"], ["release"]]);
});

test("lanes: every retry is held here, however long, and stored without a delay; redeliveries are not counted", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const unlimited = { maxAttempts: Number.POSITIVE_INFINITY, maxDeliveries: Number.POSITIVE_INFINITY };
  const queue = rig.messaging.queue("requests", { lanes: true });
  const answers: Settlement[] = [{ retryInMs: 60_000 }, "release", "dead-letter"];
  const consumer = await queue.consume(async () => answers.shift() ?? "ack", {
    ...unlimited,
    concurrency: 4,
    lane: "bulk",
  });
  const waits = scriptedDelivery("waits", {}, undefined);
  const released = scriptedDelivery("released", {}, undefined);
  const given = scriptedDelivery("given up", {}, undefined);
  const source = connection.consumers[0];
  for (const delivery of [waits, released, given]) source?.deliver(delivery);
  await rig.clock.pass(100);
  expect([waits.settlements, released.settlements]).toEqual([[], ["release"]]);
  await rig.clock.pass(59_000);
  expect(waits.settlements).toEqual([]);
  expect(given.settlements).toEqual([{ retryInMs: 0, headers: { "fairlead-failures": "1" } }]);
  await rig.clock.pass(2_000);
  expect(waits.settlements).toEqual([{ retryInMs: 0, headers: { "fairlead-failures": "1" } }]);
  const late = scriptedDelivery("late", {}, undefined);
  answers.push({ retryInMs: 60_000 });
  source?.deliver(late);
  await rig.clock.pass(100);
  const closed = watch(consumer.close());
  await rig.clock.settle();
  expect(closed.state).toBe("resolved");
  expect(late.settlements).toEqual([{ retryInMs: 0, headers: { "fairlead-failures": "1" } }]);
});

test("what a handler first looks at after its delivery is settled says what became of it", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const seen: Delivery<Uint8Array>[] = [];
  await rig.messaging.queue("orders").consume(
    async (delivery) => {
      seen.push(delivery);
    },
    { concurrency: 2 },
  );
  const [consumer] = connection.consumers;
  consumer?.deliver(scriptedDelivery("reaches"));
  consumer?.deliver({ ...scriptedDelivery("does not"), settle: () => Promise.resolve(false) });
  await rig.clock.settle();
  expect(await Promise.all(seen.map(({ settled }) => settled))).toEqual([true, false]);
  expect(seen.map(({ signal }) => signal.aborted)).toEqual([false, false]);
});

class OtherPromise<T> extends Promise<T> {}

test("a handler that returns no promise is taken at its word, and one that throws at once has failed", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const answers: Record<string, () => unknown> = {
    word: () => "dead-letter",
    foreign: () => OtherPromise.resolve("release"),
    throws: () => {
      throw new MessagingError("INVALID_ARGUMENT", "at once");
    },
  };
  const handler = (({ messageId }) => answers[messageId]?.()) as DeliveryHandler<Uint8Array>;
  await rig.messaging.queue("orders").consume(handler, { concurrency: 3, maxDeliveries: Number.POSITIVE_INFINITY });
  const deliveries = Object.keys(answers).map((id) => scriptedDelivery(id));
  for (const delivery of deliveries) connection.consumers[0]?.deliver(delivery);
  await rig.clock.settle();
  expect(deliveries.map(({ settlements }) => settlements)).toEqual([
    [{ deadLetter: expect.any(Object) }],
    ["release"],
    [{ deadLetter: expect.any(Object) }],
  ]);
});

test("a driver that throws from settle has not settled, and the consumer goes on", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const settled: Promise<boolean>[] = [];
  const consumer = await rig.messaging.queue("orders").consume(async (delivery) => {
    settled.push(delivery.settled);
  });
  const throwing = {
    ...scriptedDelivery("throws"),
    settle: () => {
      throw new Error("thrown");
    },
  };
  connection.consumers[0]?.deliver(throwing);
  connection.consumers[0]?.deliver(scriptedDelivery("next"));
  await rig.clock.settle();
  expect(await Promise.all(settled)).toEqual([false, true]);
  const closed = watch(consumer.close());
  await rig.clock.settle();
  expect(closed.state).toBe("resolved");
});
