import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { GrpcRig, until } from "./rig.js";
import { decode, encode, type Field, text, type WireCall, WireClient } from "./wire-client.js";

const POST = "/queue.QueueApi/PostEvent";
const SUBSCRIBE = "/queue.QueueApi/SubscribeEvents";
const ACK = "/queue.QueueApi/Ack";
const CLOSE = "/queue.QueueApi/Close";

const OK = 0;
const INVALID_ARGUMENT = 3;
const UNIMPLEMENTED = 12;

describe("a client made from field numbers alone", () => {
  let rig: GrpcRig;
  let client: WireClient;

  const unary = async (path: string, fields: readonly Field[]): Promise<WireCall> => {
    const call = client.call(path, encode(fields));
    expect(await call.ended).toBe(OK);
    expect(call.messages.map((message) => message.length)).toEqual([0]);
    return call;
  };
  const subscribe = async (clientId: string): Promise<WireCall> => {
    const call = client.call(SUBSCRIBE, encode([[1, text(clientId)]]), `stream ${clientId}`);
    await until(() => call.headersCame, "headers, with no event yet");
    return call;
  };

  beforeEach(async () => {
    rig = await GrpcRig.start();
    client = new WireClient(rig.address);
  });
  afterEach(async () => {
    client.close();
    await rig.close();
  });

  it("posts, subscribes, acknowledges and closes", async () => {
    const stream = await subscribe("reader");
    await unary(POST, [
      [1, text("poster")],
      [3, text('{"a":"é\\"💥"}')],
      [4, text("my token")],
      [5, text("ignored")],
      [
        6,
        encode([
          [1, 1_700_000_000n],
          [2, 123_456_789n],
        ]),
      ],
      [7, 2n ** 63n - 1n],
      [8, -(2n ** 63n)],
    ]);
    await until(() => stream.messages.length === 1);
    const event = decode(stream.messages[0] ?? Buffer.alloc(0));
    expect(event.get(1)).toEqual(text("poster"));
    expect(event.get(3)).toEqual(text('{"a":"é\\"💥"}'));
    expect(event.get(5)).toEqual(text("my token"));
    expect(decode(event.get(6) as Buffer)).toEqual(
      new Map([
        [1, 1_700_000_000n],
        [2, 123_456_789n],
      ]),
    );
    expect(event.get(7)).toBe(2n ** 63n - 1n);
    expect(BigInt.asIntN(64, event.get(8) as bigint)).toBe(-(2n ** 63n));
    expect([...event.keys()].sort()).toEqual([1, 3, 4, 5, 6, 7, 8]);

    await unary(ACK, [
      [1, event.get(4) as Buffer],
      [2, 1n],
    ]);
    expect(rig.events.counts).toMatchObject({ posted: 1, delivered: 1, acked: 1, outstanding: 0 });
    await unary(CLOSE, [[1, text("reader")]]);
    expect(await stream.ended).toBe(OK);
  });

  it("takes a request with a field of an older contract, and one with no fields at all", async () => {
    await unary(POST, [
      [2, text("queue name")],
      [3, text("{}")],
    ]);
    await unary(POST, []);
    await unary(ACK, []);
    await unary(CLOSE, []);
    expect(rig.events.counts).toMatchObject({ posted: 2, unknownAcks: 1 });
  });

  it("has its stream ended with OK before Close answers, 100 times of 100", async () => {
    await rig.close();
    client.close();
    // Short, since an event that is lost with each stream takes a step now and then.
    rig = await GrpcRig.start({ events: { retryScheduleMs: Array.from({ length: 50 }, () => 1) } });
    client = new WireClient(rig.address);
    for (let round = 0; round < 100; round += 1) {
      const id = `reader-${round}`;
      const stream = await subscribe(id);
      if (round % 2 === 0) {
        await unary(POST, [[3, text("e")]]);
        await until(() => stream.messages.length >= 1);
      }
      const close = client.call(CLOSE, encode([[1, text(id)]]), "close");
      expect(await close.ended).toBe(OK);
      expect(client.log.slice(-3)).toEqual([`stream ${id} ended`, "close message", "close ended"]);
      expect(await stream.ended).toBe(OK);
    }
  });

  it("is answered with text when its bytes are not what the contract says", async () => {
    const noUtf8 = client.call(POST, encode([[3, Buffer.from([0x7b, 0xff, 0x7d])]]));
    expect(await noUtf8.ended).toBe(INVALID_ARGUMENT);
    expect(noUtf8.details).toMatch(/eventJson is no UTF-8/);
    const garbage = client.call(POST, Buffer.from([0x0f]));
    expect(await garbage.ended).toBe(INVALID_ARGUMENT);
    expect(garbage.details).toMatch(/not readable/);
    // A replacement character that was really sent is text like any other.
    await unary(POST, [[3, text("\uFFFD")]]);
    const unknown = client.call("/queue.QueueApi/Nothing", Buffer.alloc(0));
    expect(await unknown.ended).toBe(UNIMPLEMENTED);
    expect(rig.events.counts.posted).toBe(1);
  });

  it("is pinged while it is silent, and may ping without a call", async () => {
    await rig.close();
    client.close();
    rig = await GrpcRig.start({ grpc: { keepaliveTimeMs: 100 } });
    client = new WireClient(rig.address);
    await new Promise<void>((resolve) => {
      client.session.once("ping", () => resolve());
    });
    for (let ping = 0; ping < 20; ping += 1) {
      await new Promise<void>((resolve, reject) => {
        client.session.ping((error) => (error === null ? resolve() : reject(error)));
      });
    }
    await unary(ACK, []);
  });
});
