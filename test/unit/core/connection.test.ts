import { expect, test } from "vitest";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { fixture, opened, watch } from "../../support/scripted-messaging.js";

const refused = new MessagingError("UNAVAILABLE", "refused");

test("nothing is opened until something is used", async () => {
  const { clock, driver, messaging } = fixture();
  messaging.queue("orders");
  messaging.broadcast("news");
  await clock.pass(60_000);
  expect(driver.connects).toHaveLength(0);
  expect(messaging.state).toBe("idle");
  await messaging.close();
  expect(messaging.state).toBe("closed");
  expect(await messaging.closed).toBeUndefined();
});

test("what cannot heal rejects a first open at once; the next use tries again", async () => {
  const { clock, driver, messaging } = fixture();
  const open = watch(messaging.open());
  await clock.settle();
  driver.last.refuse(new MessagingError("UNAUTHENTICATED", "wrong password"));
  await clock.settle();
  expect(open).toMatchObject({ state: "rejected", error: { code: "UNAUTHENTICATED" } });
  expect(messaging.state).toBe("idle");
  const again = watch(messaging.open());
  await clock.settle();
  driver.last.accept();
  await clock.settle();
  expect(again.state).toBe("resolved");
  expect(messaging.state).toBe("open");
});

test("a first open tries with back-off until its timeout, and names the last failure", async () => {
  const { clock, driver, messaging, observations } = fixture();
  const open = watch(messaging.open());
  for (let second = 0; second < 31; second += 1) {
    for (const connect of driver.connects) connect.refuse(refused);
    await clock.pass(1_000);
  }
  expect(open).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE", cause: refused } });
  const waits = observations.flatMap((seen) => (seen.type === "connect-failed" ? [seen.retryInMs] : []));
  expect(waits.slice(0, 4)).toEqual([50, 100, 200, 400]);
  expect(Math.max(...waits.map((wait) => wait ?? 0))).toBeLessThanOrEqual(5_000);
  expect(clock.pending).toBe(0);
});

test("a connect that hangs is given up after 10 s, and the connection that it brings late is closed", async () => {
  const { clock, driver, messaging } = fixture();
  const open = watch(messaging.open());
  await clock.pass(11_000);
  expect(driver.connects).toHaveLength(2);
  const [first, second] = driver.connects;
  expect(first?.options.signal.aborted).toBe(true);
  second?.accept();
  await clock.settle();
  expect(open.state).toBe("resolved");
  first?.accept();
  await clock.settle();
  expect(first?.closeCalls).toBe(1);
  expect(second?.closeCalls).toBe(0);
});

test("once open it reconnects without limit, also after a refusal that would have ended a first open", async () => {
  const { clock, driver, messaging } = fixture();
  const open = messaging.open();
  await clock.settle();
  driver.last.accept();
  await open;
  driver.last.lose();
  expect(messaging.state).toBe("reconnecting");
  for (let minute = 0; minute < 10; minute += 1) {
    driver.last.refuse(new MessagingError("UNAUTHENTICATED", "not yet"));
    await clock.pass(60_000);
  }
  driver.last.accept();
  await clock.settle();
  expect(messaging.state).toBe("open");
});

test("close while a connect hangs settles everything that waits, and leaves nothing", async () => {
  const { clock, driver, messaging } = fixture();
  const waits = [
    watch(messaging.open()),
    watch(messaging.queue("orders").consume(async () => "ack")),
    watch(messaging.broadcast("news").subscribe(() => {})),
    watch(messaging.queue("orders").publish({ body: new Uint8Array() })),
  ];
  await clock.settle();
  const closed = watch(messaging.close({ drainMs: 1_000 }));
  await clock.pass(5_000);
  expect(closed.state).toBe("resolved");
  for (const wait of waits) expect(wait).toMatchObject({ state: "rejected", error: { code: "CLOSED" } });
  expect(driver.last.options.signal.aborted).toBe(true);
  expect(clock.pending).toBe(0);
});

test("a driver whose close hangs does not hold up ours", async () => {
  const { clock, driver, messaging } = fixture();
  const open = messaging.open();
  await clock.settle();
  driver.last.accept();
  await open;
  const closed = watch(messaging.close());
  await clock.pass(4_999);
  expect(closed.state).toBe("pending");
  await clock.pass(2);
  expect(closed.state).toBe("resolved");
  expect(clock.pending).toBe(0);
});

test("a publish whose confirm never comes ends at its timeout and says that it may have arrived", async () => {
  const { clock, driver, messaging } = fixture();
  const publish = watch(messaging.queue("orders").publish({ body: new Uint8Array(1) }, { timeoutMs: 700 }));
  await clock.settle();
  driver.last.accept();
  await clock.settle();
  expect(driver.last.publishes).toHaveLength(1);
  await clock.pass(700);
  expect(publish).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE" } });
  expect(String((publish.error as Error).message)).toMatch(/may have arrived/);
});

test("publishes that were not confirmed are sent again on the next link, in order, under the same messageId", async () => {
  const { clock, driver, messaging } = fixture();
  const queue = messaging.queue("orders");
  const open = messaging.open();
  await clock.settle();
  driver.last.accept();
  await open;
  const ids = ["a", "b", "c", "d"];
  const publishes = ids.map((messageId) => watch(queue.publish({ body: new Uint8Array(1), messageId })));
  const once = watch(queue.publish({ body: new Uint8Array(1), messageId: "once" }, { resend: false }));
  await clock.settle();
  driver.last.lose();
  await clock.settle();
  expect(once).toMatchObject({ state: "rejected", error: { code: "UNAVAILABLE" } });
  await clock.pass(100);
  driver.last.accept();
  await clock.settle();
  expect(driver.connects).toHaveLength(2);
  expect(driver.last.publishes.map(({ message }) => message.messageId)).toEqual(ids);
  for (const { outcome } of driver.last.publishes) outcome.resolve();
  await clock.settle();
  expect(publishes.map(({ state }) => state)).toEqual(ids.map(() => "resolved"));
});

test("at most 1,000 publishes are under way; further callers wait for room", async () => {
  const { clock, driver, messaging } = fixture();
  const queue = messaging.queue("orders");
  const open = messaging.open();
  await clock.settle();
  driver.last.accept();
  await open;
  const publishes = Array.from({ length: 1_500 }, () => watch(queue.publish({ body: new Uint8Array(1) })));
  await clock.settle();
  expect(driver.last.publishes).toHaveLength(1_000);
  for (const { outcome } of driver.last.publishes.splice(0, 400)) outcome.resolve();
  await clock.settle();
  expect(driver.last.publishes).toHaveLength(1_000);
  for (const { outcome } of driver.last.publishes.splice(0, 1_000)) outcome.resolve();
  await clock.settle();
  for (const { outcome } of driver.last.publishes) outcome.resolve();
  await clock.settle();
  expect(publishes.every(({ state }) => state === "resolved")).toBe(true);
});

test("a connection that comes up in the moment of closing is closed", async () => {
  for (let turns = 0; turns < 30; turns += 1) {
    const { clock, driver, messaging } = fixture();
    const open = watch(messaging.open());
    await clock.settle();
    driver.last.closing.resolve();
    driver.last.accept();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await messaging.close();
    await clock.settle();
    expect(messaging.state).toBe("closed");
    expect(driver.last.closeCalls).toBe(1);
    expect(open.state).not.toBe("pending");
  }
});

test("links that are lost as soon as they open are opened ever more slowly", async () => {
  const rig = fixture();
  await opened(rig);
  for (let second = 0; second < 60; second += 1) {
    rig.driver.last.accept();
    await rig.clock.settle();
    rig.driver.last.lose();
    await rig.clock.pass(1_000);
  }
  expect(rig.driver.connects.length).toBeLessThan(35);
});

test("blocked is told when it ends with its link, and never by a connection that did not come up", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  connection.options.onBlocked(true);
  expect(rig.messaging.blocked).toBe(true);
  connection.lose();
  expect(rig.messaging.blocked).toBe(false);
  await rig.clock.pass(100);
  rig.driver.last.options.onBlocked(true);
  rig.driver.last.refuse(refused);
  await rig.clock.settle();
  expect(rig.messaging.blocked).toBe(false);
  const told = rig.observations.flatMap((seen) => (seen.type === "blocked" ? [seen.blocked] : []));
  expect(told).toEqual([true, false]);
});

test("who gives up waiting for a link leaves nothing behind, however long the outage", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  connection.lose();
  const reasons: WeakRef<object>[] = [];
  for (let index = 0; index < 50; index += 1) {
    const abort = new AbortController();
    const open = watch(rig.messaging.open({ signal: abort.signal }));
    await rig.clock.settle();
    const reason = new Error("gave up");
    reasons.push(new WeakRef(reason));
    abort.abort(reason);
    await rig.clock.settle();
    expect(open.state).toBe("rejected");
  }
  collectGarbage();
  await rig.clock.settle();
  expect(reasons.filter((reason) => reason.deref() !== undefined).length).toBeLessThan(5);
  await rig.clock.pass(100);
  rig.driver.last.accept();
  await rig.clock.settle();
  expect(rig.messaging.state).toBe("open");
});
