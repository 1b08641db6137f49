import { connect } from "node:http2";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { QueueApiClient } from "../../adapters/grpc/index.js";
import { addressKey } from "../../adapters/grpc/limits/address-key.js";
import { CallAdmission } from "../../adapters/grpc/limits/call-admission.js";
import { type Caller, callerAt } from "../../adapters/grpc/security/caller.js";
import { ack, post, Reader, subscribe, until } from "../adapters/grpc/rig.js";
import { VirtualClock } from "../support/virtual-clock.js";
import { GuardedRig } from "./attack.js";

const ACK = "/queue.QueueApi/Ack";
const SUBSCRIBE = "/queue.QueueApi/SubscribeEvents";

function from(remoteAddress: string, name?: string): Caller {
  return callerAt({ remoteAddress, remotePort: 1 }, name);
}

function failed(client: QueueApiClient, metadata: Metadata): Promise<ServiceError | null> {
  return new Promise((resolve) =>
    client.Ack({ userToken: "none", success: true }, metadata, (error) => resolve(error)),
  );
}

describe("metadata", () => {
  it("beyond maxHeaderBytes is refused with RESOURCE_EXHAUSTED, and the connection goes on", async () => {
    await using rig = await GuardedRig.start({ maxHeaderBytes: 4_096 });
    const client = rig.client();
    const metadata = new Metadata();
    metadata.set("x-large", "y".repeat(5_000));
    expect((await failed(client, metadata))?.code).toBe(status.RESOURCE_EXHAUSTED);
    metadata.set("x-large", "y".repeat(2_000));
    expect(await failed(client, metadata)).toBeNull();
  });

  it("takes 16 KiB by default, no more", async () => {
    await using rig = await GuardedRig.start();
    const session = connect(`http://${rig.address}`);
    try {
      const told = await new Promise<number | undefined>((resolve) =>
        session.once("remoteSettings", ({ maxHeaderListSize }) => resolve(maxHeaderListSize)),
      );
      expect(told).toBe(16_384);
    } finally {
      session.destroy();
    }
  });
});

describe("subscriptions", () => {
  it("beyond maxSubscribersPerClient wait, and are refused with a text; room comes back", async () => {
    await using rig = await GuardedRig.start({ maxSubscribersPerClient: 2, refusalDelayMs: 100 });
    const client = rig.client();
    const first = await subscribe(client, "a");
    await subscribe(rig.client(), "b");
    const startedAt = performance.now();
    const third = new Reader(client.SubscribeEvents({ clientId: "c" }));
    await until(() => third.outcome !== undefined, "the refusal");
    expect(performance.now() - startedAt).toBeGreaterThan(90);
    expect(third.outcome).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: "this client has 2 subscribers; at most 2 are allowed",
    });
    // Nothing else is hindered.
    await post(client, { clientId: "a", eventJson: "{}" });
    first.call.cancel();
    await until(() => first.outcome !== undefined);
    await subscribe(client, "c");
    expect(rig.refused).toEqual([
      {
        type: "client-refused",
        client: undefined,
        peer: "127.0.0.1",
        what: "queue.QueueApi/SubscribeEvents",
        reason: "this client has 2 subscribers; at most 2 are allowed",
      },
    ]);
  });
});

describe("calls", () => {
  it("beyond maxOpenCallsPerClient are refused on all its connections; what is open goes on", async () => {
    await using rig = await GuardedRig.start({ maxOpenCallsPerClient: 2 });
    const first = await subscribe(rig.client(), "a");
    await subscribe(rig.client(), "b");
    await expect(ack(rig.client(), "none")).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: "this client has 2 calls open; at most 2 are allowed",
    });
    first.call.cancel();
    await until(() => first.outcome !== undefined);
    await ack(rig.client(), "none");
  });

  it("of a thousand subscribers from one address are taken by default", async () => {
    await using rig = await GuardedRig.start();
    const client = rig.client();
    const readers: Reader[] = [];
    while (readers.length < 1_000) {
      const next = Array.from({ length: 100 }, (_, index) => subscribe(client, `c${readers.length + index}`));
      readers.push(...(await Promise.all(next)));
    }
    expect(readers.filter(({ outcome }) => outcome !== undefined)).toEqual([]);
    expect(rig.refused).toEqual([]);
    // A client that is closed ends them all at once, which is no abuse.
    for (const { call } of readers.slice(0, 800)) call.cancel();
    await until(() => readers.slice(0, 800).every(({ outcome }) => outcome !== undefined));
    await ack(client, "none");
    expect(rig.refused).toEqual([]);
  });
});

describe("what is known of clients", () => {
  it("does not grow with those that have come and gone, a hundred thousand of them", () => {
    const rate = { perSecond: 1, burst: 100 };
    const admission = new CallAdmission(
      { maxCalls: 5, maxSubscribers: 5, calls: rate, posts: rate },
      new VirtualClock(),
    );
    let most = 0;
    for (let index = 0; index < 100_000; index += 1) {
      const caller = from(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
      admission.admit(caller, ACK);
      admission.ended(caller, ACK);
      most = Math.max(most, admission.size);
    }
    expect(most).toBeLessThanOrEqual(10_001);
  });

  it("is forgotten with the last call where nothing is owed", () => {
    const admission = new CallAdmission(
      { maxCalls: 5, maxSubscribers: 5, calls: undefined, posts: undefined },
      new VirtualClock(),
    );
    const caller = from("10.0.0.1");
    admission.admit(caller, ACK);
    admission.admit(caller, SUBSCRIBE);
    expect(admission.size).toBe(1);
    admission.ended(caller, SUBSCRIBE);
    admission.ended(caller, ACK);
    expect(admission.size).toBe(0);
  });

  it("goes by the name where there is one, and by the network of an IPv6 address", () => {
    const admission = new CallAdmission(
      { maxCalls: 1, maxSubscribers: 1, calls: undefined, posts: undefined },
      new VirtualClock(),
    );
    expect(admission.admit(from("10.0.0.1", "one"), ACK)).toBeUndefined();
    expect(admission.admit(from("10.0.0.2", "one"), ACK)?.error.code).toBe("REJECTED");
    expect(admission.admit(from("10.0.0.1", "other"), ACK)).toBeUndefined();
    expect(admission.admit(from("10.0.0.1"), ACK)).toBeUndefined();
    expect(admission.admit(from("2001:db8::1"), ACK)).toBeUndefined();
    expect(admission.admit(from("2001:db8::ffff:1"), ACK)?.error.code).toBe("REJECTED");
  });

  it.each([
    ["10.1.2.3", "10.1.2.3"],
    ["::ffff:10.1.2.3", "10.1.2.3"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    [undefined, "unknown"],
  ])("counts %s as %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
