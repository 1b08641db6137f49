import { expect, it } from "vitest";
import { OpenCalls } from "../../../adapters/grpc/open-calls.js";
import { type PendingRequest, RequestUpload } from "../../../adapters/grpc/request-upload.js";
import { SharedTimers } from "../../../src/core/request/shared-timers.js";
import { VirtualClock } from "../../support/virtual-clock.js";

it("gives up an upload whose next part does not come, and with it its room", async () => {
  const clock = new VirtualClock();
  const open = new OpenCalls({
    maxRequestBytes: 1_000,
    maxUploadBytes: 1_000,
    maxUploadBytesPerClient: 1_000,
    maxCallsPerClient: 10,
  });
  const late: string[] = [];
  const pending = {
    request: { allowKeepAlive: true },
    endsAt: clock.now() + 86_400_000,
    arrivedAt: clock.now(),
  } as unknown as PendingRequest;
  const body = { first: new Uint8Array(100), bytes: 1_000, client: "one" };
  const upload: RequestUpload = new RequestUpload(
    { clock: new SharedTimers(clock), open },
    pending,
    body,
    ({ code }) => {
      late.push(code);
      upload.close();
    },
  );
  expect(() => open.takeUpload(1, "another")).toThrow();
  await clock.pass(29_000);
  upload.add(new Uint8Array(100));
  await clock.pass(29_000);
  expect(late).toEqual([]);
  await clock.pass(2_000);
  expect(late).toEqual(["TIMEOUT"]);
  open.takeUpload(1_000, "another");
  expect(clock.pending).toBe(0);
});

it("leaves room for the uploads of others when one client would take it all", () => {
  const limits = { maxRequestBytes: 1_000, maxUploadBytes: 1_000, maxUploadBytesPerClient: 500, maxCallsPerClient: 10 };
  const open = new OpenCalls(limits);
  open.takeUpload(300, "greedy");
  open.takeUpload(200, "greedy");
  expect(() => open.takeUpload(1, "greedy")).toThrow(/of this client .* hold 500 bytes; at most 500 are allowed/);
  open.takeUpload(500, "other");
  expect(() => open.takeUpload(1, "third")).toThrow(/on their way hold 1000 bytes/);
  open.releaseUpload(300, "greedy");
  open.takeUpload(300, "third");
  open.releaseUpload(200, "greedy");
  open.takeUpload(200, "greedy");
});
