import { expect, test } from "vitest";
import type { RequestContext } from "../../../../src/ports/request-sink.js";
import { deferred } from "../../../../src/util/deferred.js";
import { scriptedDelivery } from "../../../support/scripted-delivery.js";
import { fixture, opened, watch } from "../../../support/scripted-messaging.js";

test("a close in the middle of a start lets the calls that it has brought already run for drainMs", async () => {
  const rig = fixture();
  const connection = await opened(rig);
  const gate = deferred<void>();
  connection.consumeGate = gate.promise;
  const contexts: RequestContext<Uint8Array>[] = [];
  const sink = { signal: (_: unknown, context: RequestContext<Uint8Array>) => void contexts.push(context), abort() {} };
  const served = watch(rig.messaging.serve("sums", sink));
  await rig.clock.settle();
  const { message, ...delivery } = scriptedDelivery("signal", {
    "fairlead-client": "client",
    "fairlead-timeout-ms": "90000",
  });
  connection.consumers[1]?.deliver({ ...delivery, message: { ...message, type: "Signal", correlationId: "call" } });
  const closed = watch(rig.messaging.close({ drainMs: 60_000 }));
  gate.resolve();
  await rig.clock.pass(30_000);
  expect(contexts.map(({ signal }) => signal.aborted)).toEqual([false]);
  await rig.clock.pass(30_001);
  expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true]);
  await rig.clock.pass(5_000);
  connection.closing.resolve();
  await rig.clock.pass(5_000);
  expect(served).toMatchObject({ state: "rejected", error: { code: "CLOSED" } });
  expect(closed.state).toBe("resolved");
  expect(rig.clock.pending).toBe(0);
});
