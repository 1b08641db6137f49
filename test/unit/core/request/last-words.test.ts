import { expect, it, onTestFinished } from "vitest";
import { memoryBroker, memoryDriver } from "../../../../adapters/memory/index.js";
import { FRAME } from "../../../../src/driver/index.js";
import { call, createMessaging, sinkOf } from "../../../../src/index.js";
import { deferred } from "../../../../src/util/deferred.js";
import { waitUntil } from "../../../../tools/process/wait-until.js";
import { tappedMessaging } from "./tapped-messaging.js";

const CALLS = 300;
/** What a link is handed beyond what it has room for. */
const MOST_WAITING = 64;

it("the errors of calls that cannot be resumed wait for room, and all of them go out once there is some", async () => {
  const broker = memoryBroker();
  const server = tappedMessaging(broker);
  const client = createMessaging({ driver: memoryDriver({ broker }) });
  onTestFinished(async () => {
    await client.close({ drainMs: 0 });
    await server.messaging.close({ drainMs: 0 });
  });
  const room = deferred<void>();
  server.room = room.promise;
  let begun = 0;
  const failing = sinkOf(() => {
    begun += 1;
    throw new Error("no");
  });
  await server.messaging.serve("failing", failing);
  const sink = client.requestSink("failing", { protocolVersion: "V4" });
  const errors = Array.from({ length: CALLS }, async () => {
    try {
      for await (const _ of call(sink, { body: new Uint8Array() }, { timeoutMs: 60_000 }));
    } catch (error) {
      return error;
    }
    return undefined;
  });
  const sent = (): number => server.published.filter(({ type }) => type === FRAME.error).length;
  await waitUntil(() => begun === CALLS && sent() >= MOST_WAITING, { what: "all calls to fail", timeoutMs: 20_000 });
  expect(sent()).toBe(MOST_WAITING);
  room.resolve();
  const codes = (await Promise.all(errors)).map((error) => (error as { code?: unknown }).code);
  expect(new Set(codes)).toEqual(new Set(["REMOTE"]));
  expect(sent()).toBe(CALLS);
});
