import { expect, test } from "vitest";
import { createMessaging } from "../../../src/core/messaging.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Messaging } from "../../../src/ports/messaging.js";
import { type Deferred, deferred } from "../../../src/util/deferred.js";
import { ScriptedDriver } from "../../support/scripted-driver.js";
import { fixture, opened, watch } from "../../support/scripted-messaging.js";
import { VirtualClock } from "../../support/virtual-clock.js";

const body = new Uint8Array(1);

test("what the driver still holds keeps its room when its caller has given up", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const queue = rig.messaging.queue("orders");
  for (let round = 0; round < 5; round += 1) {
    const publishes = Array.from({ length: 600 }, () => watch(queue.publish({ body }, { timeoutMs: 100 })));
    await rig.clock.pass(100);
    expect(publishes.every(({ state }) => state === "rejected")).toBe(true);
  }
  expect(connection.publishes).toHaveLength(1_000);
  for (const { outcome } of connection.publishes) outcome.resolve();
  await rig.clock.settle();
  const next = watch(queue.publish({ body }));
  await rig.clock.settle();
  connection.publishes.at(-1)?.outcome.resolve();
  await rig.clock.settle();
  expect(next.state).toBe("resolved");
});

test("a publish never overtakes one that waits for room, also when it is made the moment that room comes free", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const queue = rig.messaging.queue("orders");
  const first = Array.from({ length: 1_000 }, (_, index) => queue.publish({ body, messageId: `${index}` }));
  const late = first
    .slice(0, 5)
    .map((publish, index) => publish.then(() => queue.publish({ body, messageId: `late ${index}` })));
  const waits = watch(queue.publish({ body, messageId: "waits" }));
  for (const { outcome } of connection.publishes.slice(0, 5)) outcome.resolve();
  await rig.clock.settle();
  expect(connection.publishes.slice(1_000).map(({ message }) => message.messageId)).toEqual([
    "waits",
    "late 0",
    "late 1",
    "late 2",
    "late 3",
  ]);
  for (const { outcome } of connection.publishes) outcome.resolve();
  await rig.clock.settle();
  for (const { outcome } of connection.publishes) outcome.resolve();
  await Promise.all([...first, ...late]);
  expect(waits.state).toBe("resolved");
});

test("a publish that waits for room and gives up lets the one behind it in", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const queue = rig.messaging.queue("orders");
  const inside = Array.from({ length: 1_000 }, () => queue.publish({ body }));
  const gaveUp = watch(queue.publish({ body, messageId: "gave up" }, { timeoutMs: 10 }));
  const behind = watch(queue.publish({ body, messageId: "behind" }));
  await rig.clock.pass(10);
  expect(gaveUp.state).toBe("rejected");
  connection.publishes[0]?.outcome.resolve();
  await rig.clock.settle();
  expect(connection.publishes.at(-1)?.message.messageId).toBe("behind");
  for (const { outcome } of connection.publishes) outcome.resolve();
  await Promise.all(inside);
  expect(behind.state).toBe("resolved");
});

test("a failure on a link that holds pauses its queue alone, and keeps the order", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const orders = rig.messaging.queue("orders");
  const publishes = ["a", "b"].map((messageId) => watch(orders.publish({ body, messageId })));
  await rig.clock.settle();
  for (const { outcome } of connection.publishes) outcome.reject(new MessagingError("UNAVAILABLE", "channel closed"));
  await rig.clock.settle();
  publishes.push(watch(orders.publish({ body, messageId: "c" })));
  const other = watch(rig.messaging.queue("others").publish({ body, messageId: "other" }));
  await rig.clock.settle();
  expect(connection.publishes.slice(2).map(({ message }) => message.messageId)).toEqual(["other"]);
  await rig.clock.pass(1_000);
  expect(connection.publishes.slice(3).map(({ message }) => message.messageId)).toEqual(["a", "b", "c"]);
  for (const { outcome } of connection.publishes) outcome.resolve();
  await rig.clock.settle();
  expect([...publishes, other].map(({ state }) => state)).toEqual(["resolved", "resolved", "resolved", "resolved"]);
});

test("close says of a publish that was sent that it may have arrived, and refuses new ones while it flushes", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const queue = rig.messaging.queue("orders");
  const sent = watch(queue.publish({ body }));
  await rig.clock.settle();
  const closed = watch(rig.messaging.close({ drainMs: 500 }));
  await rig.clock.settle();
  const refused = watch(queue.publish({ body }));
  await rig.clock.settle();
  expect(refused).toMatchObject({ state: "rejected", error: { code: "CLOSED" } });
  connection.closing.resolve();
  await rig.clock.pass(3_000);
  expect(closed.state).toBe("resolved");
  expect(sent).toMatchObject({ state: "rejected", error: { code: "CLOSED" } });
  expect((sent.error as Error).message).toMatch(/may have arrived/);
  expect(rig.clock.pending).toBe(0);
});

test("a timeout without a link says why there is none", async () => {
  const rig = fixture();
  const publish = watch(rig.messaging.queue("orders").publish({ body }, { timeoutMs: 1_000 }));
  await rig.clock.settle();
  const refused = new MessagingError("UNAVAILABLE", "connection refused");
  rig.driver.last.refuse(refused);
  await rig.clock.pass(1_000);
  expect(publish).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE", cause: refused } });
});

test("the order of the calls survives a second loss in the middle of sending again", async () => {
  const rig = fixture();
  const first = await opened(rig);
  const [a, c] = [rig.messaging.queue("a"), rig.messaging.queue("c")];
  const sent = Array.from({ length: 999 }, (_, index) => watch(a.publish({ body, messageId: `a${index}` })));
  const others = Array.from({ length: 2_000 }, (_, index) => watch(c.publish({ body, messageId: `c${index}` })));
  await rig.clock.settle();
  first.lose();
  for (let round = 0; round < 2; round += 1) {
    await rig.clock.pass(1_000);
    rig.driver.last.accept();
    await rig.clock.settle();
    if (round === 0) rig.driver.last.lose();
  }
  const ids: string[] = [];
  for (let sentBefore = 0; ids.length < 999; ) {
    const { publishes } = rig.driver.last;
    const fresh = publishes.slice(sentBefore);
    if (fresh.length === 0) break;
    sentBefore = publishes.length;
    ids.push(...fresh.map(({ message }) => message.messageId).filter((id) => id.startsWith("a")));
    for (const { outcome } of fresh) outcome.resolve();
    await rig.clock.settle();
  }
  expect(ids).toEqual(sent.map((_, index) => `a${index}`));
  expect(others.some(({ state }) => state === "rejected")).toBe(false);
});

test("a publish too large to fit beside others is not starved by a busy queue", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const busy = rig.messaging.queue("busy");
  for (let index = 0; index < 1_000; index += 1) watch(busy.publish({ body }));
  const waits = watch(rig.messaging.queue("patient").publish({ body, messageId: "patient" }));
  connection.publishes[0]?.outcome.resolve();
  watch(busy.publish({ body, messageId: "pushing in" }));
  await rig.clock.settle();
  expect(connection.publishes.at(-1)?.message.messageId).toBe("patient");
  connection.publishes.at(-1)?.outcome.resolve();
  await rig.clock.settle();
  expect(waits.state).toBe("resolved");
});

test("each lane of a queue is a line of its own: one that fails does not hold up the others", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const requests = rig.messaging.queue("requests", { lanes: true });
  const bulk = ["a", "b"].map((messageId) => watch(requests.publish({ body, messageId }, { priority: "bulk" })));
  await rig.clock.settle();
  for (const { outcome } of connection.publishes) outcome.reject(new MessagingError("UNAVAILABLE", "channel closed"));
  await rig.clock.settle();
  bulk.push(watch(requests.publish({ body, messageId: "c" }, { priority: "bulk" })));
  const urgent = watch(requests.publish({ body, messageId: "urgent" }, { priority: "expedite" }));
  const plain = watch(requests.publish({ body, messageId: "plain" }));
  await rig.clock.settle();
  expect(connection.publishes.slice(2).map(({ message }) => message.messageId)).toEqual(["urgent", "plain"]);
  expect(connection.publishes.every(({ message }) => !message.persistent)).toBe(true);
  await rig.clock.pass(1_000);
  expect(connection.publishes.slice(4).map(({ message }) => message.messageId)).toEqual(["a", "b", "c"]);
  for (const { outcome } of connection.publishes) outcome.resolve();
  await rig.clock.settle();
  expect([...bulk, urgent, plain].map(({ state }) => state)).toEqual(Array(5).fill("resolved"));
});

test("each publish has its own time, whoever has the same, and leaves no timer", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const queue = rig.messaging.queue("orders");
  const first = watch(queue.publish({ body }, { timeoutMs: 100 }));
  await rig.clock.pass(60);
  const second = watch(queue.publish({ body }, { timeoutMs: 100 }));
  const quick = watch(queue.publish({ body }, { timeoutMs: 10 }));
  const patient = watch(queue.publish({ body }, { timeoutMs: Number.POSITIVE_INFINITY }));
  const states = (): string[] => [first, second, quick, patient].map(({ state }) => state);
  await rig.clock.pass(10);
  expect(states()).toEqual(["pending", "pending", "rejected", "pending"]);
  await rig.clock.pass(30);
  expect(states()).toEqual(["rejected", "pending", "rejected", "pending"]);
  await rig.clock.pass(60);
  expect(states()).toEqual(["rejected", "rejected", "rejected", "pending"]);
  expect(rig.clock.pending).toBe(0);
  connection.publishes.at(-1)?.outcome.resolve();
  await rig.clock.settle();
  expect(patient.state).toBe("resolved");
});

test("a driver may confirm many with one promise, and refuse them so, too", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const shared = [Promise.resolve(), Promise.reject(new MessagingError("REJECTED", "full"))];
  connection.publish = (_to, { messageId }) => shared[Number(messageId)] as Promise<void>;
  const queue = rig.messaging.queue("orders");
  const publishes = ["0", "0", "1", "0", "1", "1"].map((messageId) => watch(queue.publish({ body, messageId })));
  await rig.clock.settle();
  expect(publishes.map(({ state }) => state[2]).join("")).toBe("ssjsjj");
});

test("what is wrong with a publish rejects it, and is not thrown", async () => {
  const rig = fixture();
  const queue = rig.messaging.queue("orders");
  await expect(queue.publish({ body: "text" as unknown as Uint8Array })).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
  });
  await expect(queue.publish({ body }, { delayMs: -1 })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
  await expect(queue.publish({ body: new Uint8Array(2_000) })).rejects.toMatchObject({ code: "TOO_LARGE" });
});

test("a driver that throws from publish has refused it, and nothing of it stays", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  connection.publish = () => {
    throw new MessagingError("REJECTED", "thrown");
  };
  const queue = rig.messaging.queue("orders");
  for (let count = 0; count < 1_001; count += 1) {
    await expect(queue.publish({ body })).rejects.toMatchObject({ code: "REJECTED" });
  }
  expect(rig.clock.pending).toBe(0);
});

test("a publish is over within twice its time, also when the clock is set back by an hour", async () => {
  const rig = fixture();
  await opened(rig);
  const queue = rig.messaging.queue("orders");
  const publishes = [watch(queue.publish({ body }, { timeoutMs: 1_000 }))];
  await rig.clock.pass(500);
  publishes.push(watch(queue.publish({ body }, { timeoutMs: 1_000 })));
  rig.clock.setBy(-3_600_000);
  await rig.clock.pass(2_000);
  expect(publishes.map(({ state }) => state)).toEqual(["rejected", "rejected"]);
  expect(rig.clock.pending).toBe(0);
});

test("a publish has its time, also when the clock is set forward by an hour, and when it goes back again", async () => {
  const rig = fixture();
  await opened(rig);
  const queue = rig.messaging.queue("orders");
  const first = watch(queue.publish({ body }, { timeoutMs: 1_000 }));
  await rig.clock.pass(900);
  const second = watch(queue.publish({ body }, { timeoutMs: 1_000 }));
  rig.clock.setBy(3_600_000);
  const third = watch(queue.publish({ body }, { timeoutMs: 1_000 }));
  await rig.clock.pass(200);
  expect([first, second, third].map(({ state }) => state)).toEqual(["rejected", "pending", "pending"]);
  rig.clock.setBy(-3_600_000);
  await rig.clock.pass(2_000);
  expect([first, second, third].map(({ state }) => state)).toEqual(["rejected", "rejected", "rejected"]);
  expect(rig.clock.pending).toBe(0);
});

test("what fails together on a link that holds keeps its order, also when the first of it has been given up", async () => {
  for (const isShared of [true, false]) {
    const rig = fixture();
    const connection = await opened(rig);
    const shared = deferred<void>();
    const single: Deferred<void>[] = [];
    const sent: string[] = [];
    connection.publish = (_to, { messageId }) => {
      sent.push(messageId);
      const own = deferred<void>();
      if (!isShared) single.push(own);
      return isShared ? shared.promise : own.promise;
    };
    const queue = rig.messaging.queue("orders");
    const publishes = [watch(queue.publish({ body, messageId: "0" }, { timeoutMs: 100 }))];
    for (let number = 1; number <= 1_000; number += 1) {
      publishes.push(watch(queue.publish({ body, messageId: `${number}` })));
    }
    await rig.clock.pass(100);
    expect(sent.length).toBe(1_000);
    const error = new MessagingError("UNAVAILABLE", "all of them");
    connection.publish = (_to, { messageId }) => {
      sent.push(messageId);
      return Promise.resolve();
    };
    shared.reject(error);
    shared.promise.catch(() => undefined);
    for (const { reject } of single) reject(error);
    await rig.clock.pass(5_000);
    expect(sent.slice(1_000).map(Number)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(publishes.slice(1).every(({ state }) => state === "resolved")).toBe(true);
  }
});

test("an observer that publishes what failed waits for the next connect, and starves nobody", async () => {
  const clock = new VirtualClock();
  const driver = new ScriptedDriver();
  let failures = 0;
  const messaging: Messaging = createMessaging({
    driver,
    clock,
    observers: [
      ({ type }) => {
        if (type !== "publish-failed") return;
        failures += 1;
        if (failures < 1_000) watch(messaging.queue("audit").publish({ body }));
      },
    ],
  });
  const first = watch(messaging.queue("orders").publish({ body }));
  await clock.settle();
  driver.last.refuse(new MessagingError("PERMISSION_DENIED", "wrong password"));
  await clock.settle();
  expect(first.state).toBe("rejected");
  expect(failures).toBe(1);
});

test("what is published while others fail together does not overtake them", async () => {
  const clock = new VirtualClock();
  const driver = new ScriptedDriver();
  const late: unknown[] = [];
  const messaging: Messaging = createMessaging({
    driver,
    clock,
    observers: [
      ({ type }) => {
        if (type === "publish-failed") late.push(watch(messaging.queue("orders").publish({ body, messageId: "late" })));
      },
    ],
  });
  const connection = await opened({ clock, driver, messaging, observations: [] });
  const queue = messaging.queue("orders");
  watch(queue.publish({ body, messageId: "not again" }, { resend: false }));
  watch(queue.publish({ body, messageId: "again" }));
  const sent = connection.publishes;
  for (const { outcome } of sent.slice()) outcome.reject(new MessagingError("UNAVAILABLE", "both"));
  await clock.pass(5_000);
  expect(late).toHaveLength(1);
  expect(sent.slice(2).map(({ message }) => message.messageId)).toEqual(["again", "late"]);
});
