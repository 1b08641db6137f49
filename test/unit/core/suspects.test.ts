import { expect, test } from "vitest";
import { memoryBroker, memoryDriver } from "../../../adapters/memory/index.js";
import { createMessaging } from "../../../src/core/messaging.js";
import { DEAD_REASON_HEADER } from "../../../src/driver/reserved-headers.js";
import { deferred } from "../../../src/util/deferred.js";
import { scriptedDelivery } from "../../support/scripted-delivery.js";
import { fixture, opened } from "../../support/scripted-messaging.js";

test.each([
  [10, ["first", "second", "third"]],
  [11, ["third", "second", "first"]],
])("what was lost %i times of 20 is handled alone, one after another", async (losses, expected) => {
  const rig = fixture();
  const connection = await opened(rig);
  const begun: string[] = [];
  const gates = new Map<string, () => void>();
  await rig.messaging.queue("orders").consume(
    async ({ messageId }) => {
      begun.push(messageId);
      const gate = deferred<void>();
      gates.set(messageId, () => gate.resolve());
      await gate.promise;
    },
    { concurrency: 4 },
  );
  const [consumer] = connection.consumers;
  for (const id of ["first", "second", "third"]) consumer?.deliver(scriptedDelivery(id, {}, losses + 1));
  consumer?.deliver(scriptedDelivery("well"));
  await rig.clock.pass(1_000);
  for (let index = 0; index < 3; index += 1) {
    expect(begun).toEqual(expected.slice(0, index + 1));
    gates.get(expected[index] ?? "")?.();
    await rig.clock.pass(200);
  }
  expect(begun).toEqual([...expected, "well"]);
});

test("a handler that hangs holds up neither what was lost often nor what was not for more than seconds", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const begun: string[] = [];
  const consumer = await rig.messaging.queue("orders").consume(
    async ({ messageId }) => {
      begun.push(messageId);
      if (messageId.startsWith("hangs")) await new Promise(() => {});
    },
    { concurrency: 4 },
  );
  const [source] = connection.consumers;
  source?.deliver(scriptedDelivery("hangs"));
  for (const id of ["hangs, lost often", "lost often"]) source?.deliver(scriptedDelivery(id, {}, 11));
  source?.deliver(scriptedDelivery("well"));
  await rig.clock.pass(6_000);
  expect(begun).toEqual(["hangs", "well", "hangs, lost often", "lost often"]);
  const closing = consumer.close({ drainMs: 0 });
  await rig.clock.pass(60_000);
  await closing;
  expect(rig.clock.pending).toBe(0);
});

test("what is held beside a message that fells its consumer each time does not go with it to the dead letters", async () => {
  const broker = memoryBroker();
  const messaging = createMessaging({ driver: memoryDriver({ broker }) });
  const queue = messaging.queue("orders");
  const handled = new Set<string>();
  let crashes = 0;
  for (const id of ["before", "deadly", "behind"]) await queue.publish({ body: new Uint8Array(1), messageId: id });
  await queue.consume(
    async ({ messageId, signal }) => {
      if (messageId === "deadly") {
        crashes += 1;
        broker.dropConnections();
        return;
      }
      // Whoever is well takes its time, and is interrupted.
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!signal.aborted) handled.add(messageId);
    },
    { concurrency: 3, maxDeliveries: 4 },
  );
  const dead = async (): Promise<unknown> =>
    (await messaging.inspection?.browse("orders.dead").catch(() => []))?.map(({ messageId, headers }) => [
      messageId,
      headers[DEAD_REASON_HEADER],
    ]);
  await expect.poll(dead, { timeout: 20_000 }).toEqual([["deadly", "crash-loop"]]);
  await expect.poll(() => [...handled].sort(), { timeout: 20_000 }).toEqual(["before", "behind"]);
  expect(crashes).toBe(4);
  await messaging.close();
}, 60_000);
