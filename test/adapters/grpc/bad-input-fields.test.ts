import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FieldKind, HOSTILE, type Hostile, hostileField } from "./hostile-values.js";
import { acknowledge, GrpcRig, post, subscribe, until } from "./rig.js";
import { decode, encode, type Field, text, type WireCall, WireClient } from "./wire-client.js";

const OK = 0;
/** INVALID_ARGUMENT */
const BAD = 3;
/** RESOURCE_EXHAUSTED */
const BIG = 8;

type Expected = readonly [number, number, number, number, number, number, number, number];
/** Path of field numbers, name, kind, and the status for each of HOSTILE. */
type Row = readonly [path: readonly number[], name: string, kind: FieldKind, expected: Expected];

//                                   huge  neg.  NUL  utf8  9999   -1  empty type
const ID: Expected /*             */ = [BAD, OK, OK, BAD, OK, OK, OK, BAD];
const BODY_TEXT: Expected /*      */ = [BIG, OK, OK, BAD, OK, OK, OK, BAD];
const BODY: Expected /*           */ = [BIG, OK, OK, OK, OK, OK, OK, BAD];
const ANY_TEXT: Expected /*       */ = [OK, OK, OK, BAD, OK, OK, OK, BAD];
const ANY_NUMBER: Expected /*     */ = [OK, OK, OK, BAD, OK, OK, BAD, BAD];
const DATE: Expected /*           */ = [BAD, BAD, BAD, BAD, OK, BAD, OK, BAD];
const SECONDS: Expected /*        */ = [BAD, BAD, OK, BAD, OK, BAD, BAD, BAD];
/** As protobuf has it, also 32 bits. */
const FLAG: Expected /*           */ = [BAD, OK, OK, BAD, BAD, OK, BAD, BAD];
/** 32 bits of what is sent: of the least number they are 0. */
const NANOS: Expected /*          */ = [BAD, OK, OK, BAD, BAD, BAD, BAD, BAD];
const MESSAGE: Expected /*        */ = [OK, OK, BAD, BAD, OK, OK, OK, BAD];

const newEvent = (at: readonly number[]): readonly Row[] => [
  [at, "event", "message", MESSAGE],
  [[...at, 1], "post_id", "text", ID],
  [[...at, 2], "client_id", "text", ID],
  [[...at, 3], "body", "text", BODY],
  [[...at, 4], "user_token", "text", ID],
  [[...at, 5], "effective_date", "date", DATE],
  [[...at, 5, 1], "effective_date.seconds", "number", SECONDS],
  [[...at, 5, 2], "effective_date.nanos", "number", NANOS],
  [[...at, 6], "search_key1", "number", ANY_NUMBER],
  [[...at, 7], "search_key2", "number", ANY_NUMBER],
];
const acks = (at: readonly number[]): readonly Row[] => [
  [at, "acks", "message", MESSAGE],
  [[...at, 1], "ack_token", "text", ANY_TEXT],
  [[...at, 2], "success", "number", FLAG],
];

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  "queue.QueueApi/PostEvent": [
    [[1], "client_id", "text", ID],
    [[3], "event_json", "text", BODY_TEXT],
    [[4], "user_token", "text", ID],
    [[5], "future_user_token", "text", ANY_TEXT],
    [[6], "effective_date", "date", DATE],
    [[6, 1], "effective_date.seconds", "number", SECONDS],
    [[6, 2], "effective_date.nanos", "number", NANOS],
    [[7], "search_key1", "number", ANY_NUMBER],
    [[8], "search_key2", "number", ANY_NUMBER],
  ],
  "queue.QueueApi/SubscribeEvents": [
    [[1], "client_id", "text", ID],
    [[2], "search_key2", "number", ANY_NUMBER],
  ],
  "queue.QueueApi/Ack": [
    [[1], "user_token", "text", ANY_TEXT],
    [[2], "success", "number", FLAG],
  ],
  "queue.QueueApi/Close": [[[1], "client_id", "text", ANY_TEXT]],
  "fairlead.v1.Events/Post": newEvent([1]),
  "fairlead.v1.Events/PostEvents": newEvent([1]),
  "fairlead.v1.Events/Subscribe": [[[1], "client_id", "text", ID], [[2], "credit", "number", ANY_NUMBER], ...acks([3])],
  "fairlead.v1.Events/Ack": acks([1]),
  "fairlead.v1.Events/Close": [[[1], "client_id", "text", ANY_TEXT]],
};

describe("bad input, field by field", () => {
  let rig: GrpcRig;
  let client: WireClient;

  beforeAll(async () => {
    rig = await GrpcRig.start({ events: { subscribeIntervalMs: 1 }, grpc: { refusalDelayMs: 1 } });
    client = new WireClient(rig.address);
  });
  afterAll(async () => {
    client.close();
    await rig.close();
  });

  /** Raw bytes, which no encoder has seen. */
  const request = ([first = 0, ...rest]: readonly number[], kind: FieldKind, value: Hostile): Buffer =>
    rest.length === 0
      ? hostileField(first, kind, value)
      : encode([[first, request(rest, kind, value)] satisfies Field]);

  /** The status, also where a stream that stays open says that all is well. */
  const statusOf = async (rpc: string, message: Buffer): Promise<{ status: number; details: string }> => {
    const call = client.open(`/${rpc}`);
    const known = rig.events.counts.subscribers;
    call.send(message);
    if (!rpc.endsWith("/Subscribe")) call.stream.end();
    if (/Subscribe/.test(rpc)) {
      const acked = /\/Subscribe$/.test(rpc);
      await Promise.race([
        call.ended,
        until(
          () => rig.events.counts.subscribers > known || (acked && call.messages.length > 0),
          `${rpc} to go on`,
        ).catch(() => undefined),
      ]);
      if (rig.events.counts.subscribers > known) {
        call.stream.close(8);
        await until(() => rig.events.counts.subscribers === known);
        return { status: OK, details: "" };
      }
    }
    const status = await call.ended;
    return status === OK ? resultOf(rpc, call) : { status, details: call.details };
  };

  for (const [rpc, rows] of Object.entries(TABLE)) {
    it.each(rows)(`${rpc}: %j %s`, async (path, _, kind, expected) => {
      for (const [index, value] of HOSTILE.entries()) {
        const { status, details } = await statusOf(rpc, request(path, kind, value));
        expect({ value, status, details }).toEqual({ value, status: expected[index], details: expect.any(String) });
        if (status !== OK) expect(details).not.toBe("");
      }
    });
  }

  it("and the server works on after all of it", async () => {
    const own = rig.client();
    const reader = await subscribe(own, "reader", acknowledge(own));
    await post(own, { eventJson: "still here" });
    await until(() => reader.bodies.includes("still here"));
  });
});

/** PostEvents has the status of an event in its result. */
function resultOf(rpc: string, { messages }: WireCall): { status: number; details: string } {
  const [response] = messages;
  if (!rpc.endsWith("/PostEvents") || response === undefined) return { status: OK, details: "" };
  const result = decode(decode(response).get(1) as Buffer);
  return { status: Number(result.get(3) ?? 0n), details: String(result.get(5) ?? text("")) };
}
