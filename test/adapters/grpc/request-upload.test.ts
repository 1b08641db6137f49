import { expect, it } from "vitest";
import { OpenCalls } from "../../../adapters/grpc/open-calls.js";
import { type PendingRequest, RequestUpload } from "../../../adapters/grpc/request-upload.js";
import { SharedTimers } from "../../../src/core/request/shared-timers.js";
import { VirtualClock } from "../../support/virtual-clock.js";

it("gives up an upload whose next part does not come, and with it its room", async () => {
  const clock = new VirtualClock();
  const open = new OpenCalls({ maxRequestBytes: 1_000, maxUploadBytes: 1_000, maxCallsPerClient: 10 });
  const late: string[] = [];
  const pending = {
    request: { allowKeepAlive: true },
    endsAt: clock.now() + 86_400_000,
    arrivedAt: clock.now(),
  } as unknown as PendingRequest;
  const body = { first: new Uint8Array(100), bytes: 1_000 };
  const upload: RequestUpload = new RequestUpload(
    { clock: new SharedTimers(clock), open },
    pending,
    body,
    ({ code }) => {
      late.push(code);
      upload.close();
    },
  );
  expect(() => open.takeUpload(1)).toThrow();
  await clock.pass(29_000);
  upload.add(new Uint8Array(100));
  await clock.pass(29_000);
  expect(late).toEqual([]);
  await clock.pass(2_000);
  expect(late).toEqual(["TIMEOUT"]);
  open.takeUpload(1_000);
  expect(clock.pending).toBe(0);
});
