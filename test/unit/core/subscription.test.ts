import { expect, test } from "vitest";
import { deferred } from "../../../src/util/deferred.js";
import { scriptedDelivery } from "../../support/scripted-delivery.js";
import { fixture, opened } from "../../support/scripted-messaging.js";

test("what arrives while a subscription closes is not handled, and is told", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const gate = deferred<void>();
  connection.stopGate = gate.promise;
  const handled: string[] = [];
  const subscription = await rig.messaging.broadcast("news").subscribe(({ messageId }) => void handled.push(messageId));
  const closed = subscription.close();
  connection.listeners[0]?.(scriptedDelivery("late").message);
  gate.resolve();
  await closed;
  expect(handled).toEqual([]);
  expect(rig.observations).toContainEqual({
    type: "discarded",
    source: "news",
    reason: "the subscription was closed",
    messageId: "late",
  });
});

test("a handler that throws what has no text does not stop the others", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const handled: string[] = [];
  await rig.messaging.broadcast("news").subscribe(({ messageId }) => {
    handled.push(messageId);
    throw Object.create(null);
  });
  for (const messageId of ["one", "two"]) connection.listeners[0]?.(scriptedDelivery(messageId).message);
  await rig.clock.settle();
  expect(handled).toEqual(["one", "two"]);
});
