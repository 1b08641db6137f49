import assert from "node:assert";
import type { DeliveredEvent, EventDate } from "../../events/index.js";
import type { ContractCase } from "../case.js";
import { holdsOnly } from "../queue/steps.js";
import { Stopwatch } from "../stopwatch.js";
import { bytes, numbered } from "../text.js";
import { ack, event, eventNode, join, joinAcking, postEvent, postEvents, queueHolds } from "./steps.js";

const LEAST_KEY = -(2n ** 63n);
const MOST_KEY = 2n ** 63n - 1n;
const NANOS_PER_MS = 1_000_000;

/** A date to the nanosecond. */
function dateAt(epochMs: number, extraNanos = 0): EventDate {
  const seconds = Math.floor(epochMs / 1_000);
  return { seconds, nanos: (epochMs - seconds * 1_000) * NANOS_PER_MS + extraNanos };
}

/** What a post says, as it came. */
function posted({ body, clientId, searchKey1, searchKey2, userToken, effectiveDate }: DeliveredEvent): unknown {
  return { body: [...body], clientId, searchKey1, searchKey2, userToken, effectiveDate };
}

/** What a post means: kept whole, not early, and refused where it cannot be kept. */
export const postCases: readonly ContractCase[] = [
  {
    id: "E-01",
    sentence:
      "an event comes as it was posted: its body byte for byte, client id, user token, both keys from -2^63 to 2^63 - 1, and its date with nanoseconds",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("fields") });
      const fields = {
        body: bytes('{"a":"é\\"💥\u0000"}'),
        clientId: "poster é",
        searchKey1: LEAST_KEY,
        searchKey2: MOST_KEY,
        userToken: "token 💥 of the poster",
        effectiveDate: { seconds: 1_700_000_000, nanos: 123_456_789 },
      };
      await postEvent(context, node, fields);
      await postEvent(context, node, { ...fields, searchKey1: MOST_KEY, searchKey2: LEAST_KEY });
      const { seen } = await join(context, node, "reader");
      const [first, second] = await seen.count(2);
      assert.ok(first !== undefined && second !== undefined);
      const both = [first, second].map((item) => posted(item.event));
      const expected = { ...fields, body: [...fields.body] };
      assert.deepEqual(both, [expected, { ...expected, searchKey1: MOST_KEY, searchKey2: LEAST_KEY }]);
    },
  },
  {
    id: "E-02",
    sentence: "a body of any bytes comes back as it was, also one without any",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("bytes") });
      const bodies = [new Uint8Array(), Uint8Array.from({ length: 256 }, (_, index) => 255 - index)];
      for (const body of bodies) await postEvent(context, node, { body });
      const { seen } = await join(context, node, "reader");
      await seen.count(2);
      assert.deepEqual(
        seen.items.map((item) => [...item.event.body]),
        bodies.map((body) => [...body]),
      );
    },
  },
  {
    id: "E-03",
    sentence: "what a post leaves out is empty, 0, and for its date the time of the post",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("defaults") });
      const before = Date.now();
      await postEvent(context, node, event("bare"));
      const after = Date.now();
      const { event: delivered } = await (await join(context, node, "reader")).seen.at(0);
      const { clientId, searchKey1, searchKey2, userToken, effectiveDate } = delivered;
      assert.deepEqual(
        { clientId, searchKey1, searchKey2, userToken },
        { clientId: "", searchKey1: 0n, searchKey2: 0n, userToken: "" },
      );
      assert.ok(effectiveDate !== undefined, "an event without a date");
      const at = effectiveDate.seconds * 1_000 + effectiveDate.nanos / NANOS_PER_MS;
      assert.ok(at >= before && at <= after + 1, `a date of ${at}, posted from ${before} to ${after}`);
    },
  },
  {
    id: "E-04",
    sentence:
      "an event with a date to come is not delivered before it, to the millisecond, and nothing waits behind it",
    where: { "queue.delayedDelivery": true },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("future") });
      const { seen } = await joinAcking(context, node, "reader");
      const due = Date.now() + context.unhurried(400);
      const effectiveDate = dateAt(due, 999_999);
      await postEvent(context, node, event("later", { effectiveDate }));
      await postEvent(context, node, event("now"));
      await seen.count(1);
      assert.deepEqual(
        seen.items.map((item) => item.text),
        ["now"],
      );
      const { event: delivered, text } = await seen.at(1, context.recoveryMs);
      const came = Date.now();
      assert.equal(text, "later");
      assert.deepEqual(delivered.effectiveDate, effectiveDate);
      assert.ok(came > due, `delivered at ${came}, ${due - came} ms too early`);
    },
  },
  {
    id: "E-05",
    sentence:
      "an event with a date to come is refused with UNSUPPORTED where the broker cannot delay, and is not stored",
    where: { "queue.delayedDelivery": false },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("future") });
      const effectiveDate = dateAt(Date.now() + 60_000);
      await context.unsupported(
        () => node.service.post(event("later", { effectiveDate })),
        "delayedDelivery",
        "post of an event with a date to come",
      );
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-06",
    sentence: "an event with a date that is past is delivered at once, with that date, also from before 1970",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("past") });
      const { seen } = await joinAcking(context, node, "reader");
      const dates = [
        { seconds: 0, nanos: 0 },
        { seconds: -1, nanos: 999_999_999 },
        { seconds: -62_135_596_800, nanos: 0 },
      ];
      for (const effectiveDate of dates) await postEvent(context, node, event("past", { effectiveDate }));
      await seen.count(dates.length);
      assert.deepEqual(
        seen.items.map((item) => item.event.effectiveDate),
        dates,
      );
    },
  },
  {
    id: "E-07",
    sentence:
      "a post that the broker does not confirm in time is refused with UNAVAILABLE, never answered as if it were stored",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("frozen"), postTimeoutMs: 300 });
      await postEvents(context, node, ["one"]);
      context.atEnd(context.fault("thawBroker"));
      await context.soon(context.fault("freezeBroker")(), "freezeBroker");
      const watch = new Stopwatch();
      await context.refused(() => node.service.post(event("two")), "UNAVAILABLE", "post to a broker that is silent");
      const { ms: took, undisturbedMs } = watch;
      assert.ok(
        took >= 295 && undisturbedMs < 2_000,
        `a post with postTimeoutMs 300 settled after ${Math.round(took)} ms`,
      );
    },
  },
  {
    id: "E-08",
    sentence:
      "what a post answered for survives a restart of the broker, and subscribers get it without doing anything",
    where: { "queue.persistent": true },
    needs: ["restartBroker"],
    limitMs: 120_000,
    async run(context) {
      const node = await eventNode(context, { queue: context.name("restart") });
      const idle = await eventNode(context, { queue: context.name("restart-idle") });
      const { seen: later } = await joinAcking(context, idle, "waiting reader");
      const bodies = numbered("event", 20);
      await context.soon(Promise.all(bodies.map((body) => node.service.post(event(body)))), "posts");
      await context.soon(context.fault("restartBroker")(), "restartBroker", 60_000);
      const { seen } = await joinAcking(context, node, "reader");
      await seen.until(
        (items) => bodies.every((body) => items.some(({ text }) => text === body)),
        "all events",
        20_000,
      );
      await context.soon(idle.service.post(event("after")), "post", 20_000);
      await later.count(1, 20_000);
    },
  },
  {
    id: "E-09",
    sentence:
      "an event that can never be posted is refused with INVALID_ARGUMENT that names all its faults, and is not stored",
    needs: ["eventService"],
    async run(context) {
      const node = await eventNode(context, { queue: context.name("refused") });
      const tooLong = "é".repeat(129);
      const attempt = () =>
        node.service.post({
          body: bytes("bad"),
          clientId: tooLong,
          userToken: tooLong,
          searchKey1: MOST_KEY + 1n,
          searchKey2: LEAST_KEY - 1n,
          effectiveDate: { seconds: 253_402_300_800, nanos: -1 },
        });
      const { message } = await context.refused(attempt, "INVALID_ARGUMENT", "post of a bad event");
      for (const fault of ["client id", "user token", "key 1", "key 2", "date", "258", "256"]) {
        assert.ok(message.includes(fault), `the refusal does not say ${fault}: ${message}`);
      }
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-10",
    sentence: "a user token and a client id of 256 bytes are taken, and come back",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("long-texts") });
      const longest = "é".repeat(128);
      await postEvent(context, node, event("one", { clientId: longest, userToken: longest }));
      const { event: delivered } = await (await join(context, node, longest)).seen.at(0);
      assert.deepEqual([delivered.clientId, delivered.userToken], [longest, longest]);
    },
  },
  {
    id: "E-11",
    sentence: "a body of maxEventBytes is taken; one byte more is TOO_LARGE, told with both sizes, and is not stored",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("size"), maxEventBytes: 1_000 });
      const { message } = await context.refused(
        () => node.service.post(event("x".repeat(1_001))),
        "TOO_LARGE",
        "post of 1,001 bytes",
      );
      for (const size of ["1001", "1000"])
        assert.ok(message.includes(size), `the refusal does not say ${size}: ${message}`);
      const { seen } = await join(context, node, "reader");
      await postEvents(context, node, ["x".repeat(1_000)]);
      await ack(context, node, await seen.at(0));
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-12",
    sentence: "maxEventBytes beyond what the adapter takes is refused when the service is made",
    needs: ["eventService"],
    async run(context) {
      const { maxMessageBytes } = context.capabilities;
      const options = { queue: context.name("over"), maxEventBytes: maxMessageBytes + 1 };
      const { message } = await context.refused(() => eventNode(context, options), "INVALID_ARGUMENT", "maxEventBytes");
      assert.ok(message.includes(String(maxMessageBytes)), `the refusal does not name the limit: ${message}`);
    },
  },
  {
    id: "E-13",
    sentence: "a message that an application put into the queue is delivered as an event with nothing but a body",
    async run(context) {
      const node = await eventNode(context, { queue: context.name("foreign") });
      await context.soon(node.messaging.queue(node.queue).publish({ body: bytes("foreign") }), "publish");
      const item = await (await join(context, node, "reader")).seen.at(0);
      const { clientId, searchKey1, searchKey2, userToken, effectiveDate } = item.event;
      assert.deepEqual([item.text, clientId, searchKey1, searchKey2, userToken], ["foreign", "", 0n, 0n, ""]);
      assert.equal(effectiveDate, undefined);
      await ack(context, node, item);
      await queueHolds(context, [node]);
    },
  },
  {
    id: "E-14",
    sentence: "a message that can be no event is dead-lettered with the reason, and holds up nothing",
    where: { "queue.deadLetter": true },
    async run(context) {
      const node = await eventNode(context, { queue: context.name("poison") });
      const headers = { "event-key1": "no number" };
      await context.soon(node.messaging.queue(node.queue).publish({ body: bytes("poison"), headers }), "publish");
      await postEvents(context, node, ["good"]);
      const { seen } = await join(context, node, "reader");
      const item = await seen.at(0);
      assert.equal(item.text, "good");
      await ack(context, node, item);
      await queueHolds(context, [node]);
      await holdsOnly(context, node.messaging, `${node.queue}.dead`, ["poison"]);
    },
  },
];
