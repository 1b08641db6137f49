import { expect, test } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { fixture, opened, watch } from "../../support/scripted-messaging.js";

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
