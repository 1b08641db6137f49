import { expect, test } from "vitest";
import { scriptedDelivery } from "../../support/scripted-delivery.js";
import { type Fixture, fixture, opened } from "../../support/scripted-messaging.js";

function told({ observations }: Fixture): string[] {
  return observations.flatMap(({ type }) =>
    ["handler-failed", "delivery-held", "discarded"].includes(type) ? type : [],
  );
}

test("what comes after a consumer was closed leaves no timer behind", async () => {
  const rig = fixture({ holdMs: 20_000 });
  const connection = await opened(rig);
  connection.closing.resolve();
  const consumer = await rig.messaging.queue("orders").consume(async () => {});
  const [source] = connection.consumers;
  await consumer.close();
  const late = scriptedDelivery("late");
  source?.deliver(late);
  await rig.clock.settle();
  expect(late.settlements).toEqual(["release"]);
  await rig.messaging.close();
  expect(rig.clock.pending).toBe(0);
});

test("a handler whose time is over and that obeys its signal has failed once", async () => {
  const rig = fixture({ holdMs: 10_000 });
  const connection = await opened(rig);
  await rig.messaging.queue("orders").consume(
    ({ signal }) =>
      new Promise<undefined>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  const held = scriptedDelivery("held");
  connection.consumers[0]?.deliver(held);
  await rig.clock.pass(12_000);
  expect(held.settlements).toHaveLength(1);
  expect(told(rig)).toEqual(["delivery-held", "handler-failed", "discarded"]);
});

test("a process that stood still until the time was over tells that it was held for long all the same", async () => {
  const rig = fixture({ holdMs: 10_000 });
  const connection = await opened(rig);
  await rig.messaging.queue("orders").consume(() => new Promise<undefined>(() => {}));
  const held = scriptedDelivery("held");
  connection.consumers[0]?.deliver(held);
  await rig.clock.pass(1_000);
  rig.clock.setBy(20_000);
  await rig.clock.pass(6_000);
  expect(held.settlements).toHaveLength(1);
  expect(told(rig).slice(0, 2)).toEqual(["delivery-held", "handler-failed"]);
});

test("what was to be handled alone, and lost its turn to a handler that hangs, is given back in time", async () => {
  const rig = fixture({ holdMs: 20_000 });
  const connection = await opened(rig);
  await rig.messaging.queue("orders").consume(() => new Promise<undefined>(() => {}), { prefetch: 3 });
  const [source] = connection.consumers;
  source?.deliver(scriptedDelivery("hangs"));
  const suspect = scriptedDelivery("lost often", {}, 11);
  source?.deliver(suspect);
  await rig.clock.pass(3_000);
  const later = scriptedDelivery("later");
  source?.deliver(later);
  await rig.clock.pass(7_300);
  expect([suspect.settlements, later.settlements]).toEqual([["release"], []]);
});

test("what waited for one that was to be handled alone goes on once that is given back", async () => {
  const rig = fixture({ holdMs: 4_000 });
  const connection = await opened(rig);
  const begun: string[] = [];
  await rig.messaging.queue("orders").consume(
    async ({ messageId }) => {
      begun.push(messageId);
      if (messageId === "hangs") await new Promise(() => {});
    },
    { concurrency: 2, prefetch: 3 },
  );
  const [source] = connection.consumers;
  source?.deliver(scriptedDelivery("hangs"));
  source?.deliver(scriptedDelivery("lost often", {}, 11));
  await rig.clock.pass(1_000);
  source?.deliver(scriptedDelivery("later"));
  await rig.clock.pass(1_500);
  expect(begun).toEqual(["hangs", "later"]);
});

test("a handler is told of its time also when the clock is set back by an hour", async () => {
  const rig = fixture({ holdMs: 10_000 });
  const connection = await opened(rig);
  await rig.messaging.queue("orders").consume(() => new Promise<undefined>(() => {}));
  const held = scriptedDelivery("held");
  connection.consumers[0]?.deliver(held);
  rig.clock.setBy(-3_600_000);
  await rig.clock.pass(20_000);
  expect(told(rig)).toEqual(["delivery-held", "handler-failed"]);
  expect(held.settlements).toHaveLength(1);
});
