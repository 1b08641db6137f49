import { type ServiceError, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventMsg, QueueApiClient } from "../../../adapters/grpc/index.js";
import { ack, closeClient, GrpcRig, post, Reader, subscribe, until } from "./rig.js";

const long = "x".repeat(257);

describe("bad input", () => {
  let rig: GrpcRig;
  let client: QueueApiClient;

  beforeAll(async () => {
    rig = await GrpcRig.start({ grpc: { refusalDelayMs: 300 } });
    client = rig.client();
  });
  afterAll(() => rig.close());

  it.each<[string, EventMsg, status, RegExp]>([
    ["client_id", { clientId: long }, status.INVALID_ARGUMENT, /client id has 257 bytes of UTF-8; at most 256/],
    ["user_token", { userToken: long }, status.INVALID_ARGUMENT, /user token has 257 bytes/],
    ["event_json", { eventJson: "x".repeat(1_048_577) }, status.RESOURCE_EXHAUSTED, /1048577 bytes.*at most 1048576/],
    ["event_json far too large", { eventJson: "x".repeat(5_000_000) }, status.RESOURCE_EXHAUSTED, /larger than max/],
    ["effective_date.seconds", { effectiveDate: { seconds: "253402300800" } }, status.INVALID_ARGUMENT, /0001 to 9999/],
    ["effective_date.seconds under", { effectiveDate: { seconds: "-62135596801" } }, status.INVALID_ARGUMENT, /0001/],
    ["the largest seconds", { effectiveDate: { seconds: "9223372036854775807" } }, status.INVALID_ARGUMENT, /0001/],
    ["effective_date.nanos", { effectiveDate: { nanos: 1_000_000_000 } }, status.INVALID_ARGUMENT, /nanos from 0/],
    ["negative nanos", { effectiveDate: { nanos: -1 } }, status.INVALID_ARGUMENT, /nanos from 0/],
    [
      "several fields, all at once",
      { clientId: long, userToken: long, effectiveDate: { nanos: -1 } },
      status.INVALID_ARGUMENT,
      /client id.*user token.*nanos/,
    ],
  ])("PostEvent refuses %s", async (_, message, code, details) => {
    const before = rig.events.counts.posted;
    await expect(post(client, message)).rejects.toMatchObject({ code, details: expect.stringMatching(details) });
    expect(rig.events.counts.posted).toBe(before);
  });

  it("PostEvent takes what is just within the limits", async () => {
    const text = "x".repeat(256);
    await post(client, {
      clientId: text,
      userToken: text,
      eventJson: "x".repeat(1_048_576),
      effectiveDate: { seconds: "253402300799", nanos: 999_999_999 },
    });
  });

  it("SubscribeEvents refuses a long client_id, but not quickly", async () => {
    const started = Date.now();
    const reader = new Reader(client.SubscribeEvents({ clientId: long }));
    await until(() => reader.outcome !== undefined);
    expect(Date.now() - started).toBeGreaterThanOrEqual(299);
    expect(reader.outcome).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/client id has 257 bytes/),
    });
  });

  it("SubscribeEvents takes an empty client_id, and any search_key2", async () => {
    await subscribe(client, "");
    const reader = new Reader(client.SubscribeEvents({ clientId: "keyed", searchKey2: "-9223372036854775808" }));
    await until(() => reader.headersCame);
    await closeClient(client, "");
    await closeClient(client, "keyed");
    await until(() => reader.outcome === "OK");
  });

  it.each(["", "nonsense", long, "\u0000", `${"x".repeat(100_000)}.y`])(
    "Ack answers OK to a token such as %.20j",
    async (token) => {
      await ack(client, token, true);
      await ack(client, token, false);
    },
  );

  it.each(["", "nobody", long])("Close answers OK to a client such as %.20j", (clientId) =>
    closeClient(client, clientId),
  );

  it("an unknown method is UNIMPLEMENTED", async () => {
    const error = await new Promise<ServiceError | null>((resolve) => {
      const pass = (value: Buffer): Buffer => value;
      client.makeUnaryRequest("/queue.QueueApi/Nothing", pass, pass, Buffer.alloc(0), (thrown) => resolve(thrown));
    });
    expect(error?.code).toBe(status.UNIMPLEMENTED);
  });

  it("the server works on after all of it", async () => {
    const reader = await subscribe(client, "reader");
    await post(client, { eventJson: "still here" });
    await until(() => reader.received.length === 1);
    await ack(client, reader.last.userToken);
  });
});
