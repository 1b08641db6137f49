import { afterEach, describe, expect, it } from "vitest";
import { ack, acknowledge, closeClient, GrpcRig, post, subscribe, until } from "./rig.js";
import { decode, encode, text, type WireCall, WireClient } from "./wire-client.js";

/** Larger than what HTTP/2 lets through to a reader that does not read. */
const EVENT_BYTES = 1_048_576;
const eventJson = "x".repeat(EVENT_BYTES);

describe("a reader that does not read", () => {
  let rig: GrpcRig;
  let slow: WireClient;

  const stall = async (): Promise<WireCall> => {
    slow = new WireClient(rig.address);
    const call = slow.call("/queue.QueueApi/SubscribeEvents", encode([[1, text("stalled")]]));
    await until(() => call.headersCame);
    call.stream.pause();
    return call;
  };
  afterEach(async () => {
    slow.close();
    await rig.close();
  });

  it("gets no second event, holds up nobody else, and gets the rest when it reads", async () => {
    rig = await GrpcRig.start({ events: { ackTimeoutMs: 60_000 } });
    const client = rig.client();
    const stalled = await stall();
    for (let index = 0; index < 3; index += 1) await post(client, { eventJson });
    await until(() => rig.events.counts.waiting === 2);
    expect(rig.events.counts.delivered).toBe(1);

    const lively = await subscribe(client, "lively", acknowledge(client));
    for (let index = 3; index < 20; index += 1) await post(client, { eventJson });
    await until(() => rig.events.counts.acked === 19);
    expect(lively.received.length).toBe(19);
    expect(rig.events.counts).toMatchObject({ outstanding: 1, waiting: 0, timedOut: 0, subscribers: 2 });

    stalled.stream.resume();
    await until(() => stalled.messages.length === 1);
    const event = decode(stalled.messages[0] ?? Buffer.alloc(0));
    expect(String(event.get(3)) === eventJson).toBe(true);
    await ack(client, String(event.get(4)));
    await closeClient(client, "lively");
    await post(client, { eventJson: "next" });
    await until(() => stalled.messages.length === 2);
  });

  it("does not hold up its own Close for ever", async () => {
    rig = await GrpcRig.start({ events: { endTimeoutMs: 100 } });
    const client = rig.client();
    await stall();
    for (let index = 0; index < 3; index += 1) await post(client, { eventJson });
    await until(() => rig.events.counts.waiting === 2);
    await closeClient(client, "stalled");
    expect(rig.events.counts).toMatchObject({ subscribers: 0, outstanding: 0, waiting: 0 });
  });
});
