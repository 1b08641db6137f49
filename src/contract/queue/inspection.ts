import assert from "node:assert";
import { DEAD_AT_HEADER, DEAD_ATTEMPTS_HEADER, DEAD_QUEUE_HEADER, DEAD_REASON_HEADER } from "../../driver/index.js";
import { type MessageSelection, type MessageState, MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { bytes, text } from "../text.js";
import { bodiesOf, drain, fill, fillDead, holds, INSPECTED, INSPECTED_DEAD, inspectionOf } from "./inspecting.js";
import { consumeOptions, take, texts } from "./steps.js";

/** More often than any default allows a message to be lost. */
const LOOKS = 25;

/** What operators see of a queue, and that looking harms nothing. */
export const inspectionCases: readonly ContractCase[] = [
  {
    id: "Q-111",
    sentence: "browse shows what waits in a queue, the oldest first, with bodies, headers, ids and times",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("browse");
      await fill(context, messaging, name, ["a1", "b1", "a2"]);
      const found = await context.soon(inspectionOf(messaging).browse(name), "browse");
      assert.deepEqual(bodiesOf(found), ["a1", "b1", "a2"]);
      const [first] = found;
      assert.equal(first?.messageId, "a1");
      assert.deepEqual({ ...first?.headers }, { name: "a1", group: "a" });
      assert.equal(first?.state, "available");
      assert.equal(first?.attempt, 1);
      const age = Date.now() - (first?.publishedAt ?? 0);
      assert.ok(age > -2_000 && age < 60_000, `publishedAt is ${age} ms ago`);
    },
  },
  {
    id: "Q-112",
    sentence: "browse shows only what is selected: by messageId, by all headers that are given, and at most the limit",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("select");
      await fill(context, messaging, name, ["a1", "b1", "a2", "b2"]);
      const inspection = inspectionOf(messaging);
      const cases: readonly (readonly [MessageSelection, readonly string[]])[] = [
        [{ messageIds: ["b2", "a1", "none"] }, ["a1", "b2"]],
        [{ headers: { group: "b" } }, ["b1", "b2"]],
        [{ headers: { group: "b", name: "b2" } }, ["b2"]],
        [{ headers: { group: "b", name: "a1" } }, []],
      ];
      for (const [selection, expected] of cases) {
        const found = await context.soon(inspection.browse(name, selection), `browse ${JSON.stringify(selection)}`);
        assert.deepEqual(bodiesOf(found).sort(), expected, JSON.stringify(selection));
      }
      // Which ones is the broker's choice: what is given back may come behind what was not looked at.
      const [one, ...others] = bodiesOf(
        await context.soon(inspection.browse(name, { headers: { group: "b" }, limit: 1 }), "browse of one"),
      );
      assert.match(one ?? "none", /^b/);
      assert.deepEqual(others, []);
      assert.equal((await context.soon(inspection.browse(name, { limit: 3 }), "browse of three")).length, 3);
    },
  },
  {
    id: "Q-113",
    sentence: "what was looked at is consumed in its order, with no failed attempt",
    where: { ...INSPECTED, "queue.ordering": ["until-requeue", "strict"] },
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("untouched");
      const sent = ["a1", "b1", "a2", "b2", "c1"];
      await fill(context, messaging, name, sent);
      await context.soon(inspectionOf(messaging).browse(name, { headers: { group: "b" } }), "browse");
      const { seen } = await take(context, messaging.queue(name));
      await seen.count(sent.length);
      assert.deepEqual(texts(seen), sent);
      for (const { delivery } of seen.items) assert.equal(delivery.attempt, 1);
    },
  },
  {
    id: "Q-114",
    sentence: `a message that is looked at ${LOOKS} times is no nearer to being given up as one that kills its handlers`,
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("looked-at");
      await fill(context, messaging, name, ["a1", "b1"]);
      const inspection = inspectionOf(messaging);
      for (let look = 0; look < LOOKS; look += 1) {
        const selection = look % 2 === 0 ? {} : { messageIds: ["a1"] };
        const found = await context.soon(inspection.browse(name, selection), `look ${look}`);
        assert.equal(found.length, look % 2 === 0 ? 2 : 1, `look ${look}`);
      }
      const { seen } = await take(context, messaging.queue(name), () => "ack", { maxDeliveries: 10 });
      await seen.count(2);
      assert.deepEqual(texts(seen).sort(), ["a1", "b1"]);
    },
  },
  {
    id: "Q-115",
    sentence: "dead letters are shown with the reason, the queue that they came from, the time and the attempts",
    where: INSPECTED_DEAD,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("dead");
      await fillDead(context, messaging, name, ["a1"]);
      const [dead] = await context.soon(inspectionOf(messaging).browse(`${name}.dead`), "browse");
      assert.ok(dead !== undefined, "the dead letter is not shown");
      assert.equal(text(dead.body), "a1");
      assert.equal(dead.headers.name, "a1");
      assert.equal(dead.headers[DEAD_REASON_HEADER], "no such customer");
      assert.equal(dead.headers[DEAD_QUEUE_HEADER], name);
      assert.equal(dead.headers[DEAD_ATTEMPTS_HEADER], "1");
      assert.ok(!Number.isNaN(Date.parse(dead.headers[DEAD_AT_HEADER] ?? "")), `${DEAD_AT_HEADER} is no time`);
    },
  },
  {
    id: "Q-116",
    sentence: "counts tells how many messages are ready; those that are handed out are not",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("counts");
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1", "b1", "a2"]);
      await holds(context, inspection, name, 3);
      const { oldestReadyMs } = await context.soon(inspection.counts(name), "counts");
      assert.ok(oldestReadyMs === undefined || (oldestReadyMs >= 0 && oldestReadyMs < 60_000), `${oldestReadyMs} ms`);
      const gate = context.gate();
      const { seen } = await take(context, messaging.queue(name), () => gate.wait());
      await seen.count(1);
      await holds(context, inspection, name, 2);
      const found = await context.soon(inspection.browse(name), "browse");
      assert.deepEqual(bodiesOf(found), ["b1", "a2"]);
    },
  },
  {
    id: "Q-117",
    sentence: "a queue that does not exist is empty, or NOT_FOUND where the broker knows, and is not made by looking",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const [name, missing] = [context.name("there"), context.name("missing")];
      const inspection = inspectionOf(messaging);
      await fill(context, messaging, name, ["a1"]);
      const outcomes: string[] = [];
      for (let round = 0; round < 2; round += 1) {
        for (const ask of [
          () => inspection.counts(missing).then(({ ready }) => ready),
          () => inspection.browse(missing).then((found) => found.length),
          () => inspection.remove(missing, {}),
          () => inspection.replay(missing),
        ]) {
          try {
            assert.equal(await context.soon(ask(), "a question about a missing queue"), 0);
            outcomes.push("empty");
          } catch (error) {
            if (!MessagingError.is(error, "NOT_FOUND")) throw error;
            outcomes.push("NOT_FOUND");
          }
        }
      }
      assert.equal(new Set(outcomes).size, 1, `one answer for the same question, also after it was asked: ${outcomes}`);
      const found = await context.soon(inspection.browse(name), "browse of the queue that is there");
      assert.deepEqual(bodiesOf(found), ["a1"]);
    },
  },
  {
    id: "Q-118",
    sentence: "a selection that makes no sense is refused with INVALID_ARGUMENT, which names all of its faults",
    where: INSPECTED,
    async run(context) {
      const { messaging } = await context.node();
      const inspection = inspectionOf(messaging);
      const name = context.name("nonsense");
      const selection = { messageIds: [], headers: { a: 1 }, limit: 0, color: "red", states: ["lost"] } as unknown;
      const faulty = selection as MessageSelection;
      const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["browse", () => inspection.browse(name, faulty)],
        ["remove", () => inspection.remove(name, faulty)],
        ["replay", () => inspection.replay(name, faulty)],
      ];
      for (const [what, attempt] of attempts) {
        const { message } = await context.refused(attempt, "INVALID_ARGUMENT", what);
        for (const part of ["messageIds", "header a", "limit", "color", "states"]) {
          assert.ok(message.includes(part), `${what}: the refusal does not name ${part}: ${message}`);
        }
      }
      await context.refused(() => inspection.browse(""), "INVALID_ARGUMENT", "browse of no name");
      await context.refused(() => inspection.browse(name, { limit: 100_001 }), "INVALID_ARGUMENT", "a limit too high");
      const toItself = () => inspection.replay(name, { to: name, ratePerSecond: 0 });
      const { message } = await context.refused(toItself, "INVALID_ARGUMENT", "replay to itself");
      assert.match(message, /to must be another queue.*ratePerSecond/s);
      const history = { states: ["processed"] } as const;
      await context.refused(() => inspection.remove(name, history), "INVALID_ARGUMENT", "remove from history");
      const noId = () => inspection.update(name, "", bytes("x"));
      await context.refused(noId, "INVALID_ARGUMENT", "update without an id");
    },
  },
  {
    id: "Q-119",
    sentence: 'with inspection "ready", states, due times and updates are refused with UNSUPPORTED',
    where: { inspection: "ready" },
    async run(context) {
      const { messaging } = await context.node();
      const inspection = inspectionOf(messaging);
      const name = context.name("unsupported");
      await fill(context, messaging, name, ["a1"]);
      const states: readonly MessageState[] = ["available", "in-processing"];
      const attempts: readonly (readonly [string, () => Promise<unknown>])[] = [
        ["browse by states", () => inspection.browse(name, { states })],
        ["browse by time", () => inspection.browse(name, { dueFrom: 0 })],
        ["remove of what is handed out", () => inspection.remove(name, { states })],
        ["update", () => inspection.update(name, "a1", bytes("x"))],
      ];
      for (const [what, attempt] of attempts) await context.unsupported(attempt, "inspection", what);
      assert.deepEqual(await drain(context, messaging, name, 1), ["a1"]);
    },
  },
  {
    id: "Q-120",
    sentence: 'with inspection "none" there is no inspection',
    where: { inspection: "none" },
    async run(context) {
      const { messaging } = await context.node();
      assert.equal(messaging.inspection, undefined);
    },
  },
  {
    id: "Q-121",
    sentence: "a browse that loses its link, or whose signal aborts, settles, and every message can still be consumed",
    where: INSPECTED,
    needs: ["dropConnections"],
    async run(context) {
      const { messaging } = await context.node();
      const name = context.name("cut");
      const sent = Array.from({ length: 40 }, (_, index) => `m${index}`);
      await fill(context, messaging, name, sent);
      const inspection = inspectionOf(messaging);
      const outcome = (browse: Promise<unknown>) =>
        context.soon(
          browse.then(
            () => "shown",
            (error: unknown) => (MessagingError.is(error) ? error.code : String(error)),
          ),
          "the browse that is cut off",
          context.recoveryMs,
        );
      const abort = new AbortController();
      const aborted = outcome(inspection.browse(name, { signal: abort.signal }));
      setImmediate(() => abort.abort());
      assert.ok(["shown", "ABORTED"].includes(await aborted), `the aborted browse: ${await aborted}`);
      const cut = outcome(inspection.browse(name));
      await context.dropConnections();
      assert.ok(["shown", "UNAVAILABLE"].includes(await cut), `the cut browse: ${await cut}`);
      const { seen } = await take(context, messaging.queue(name), () => "ack", consumeOptions(context));
      await context.until(
        () => new Set(texts(seen)).size === sent.length,
        () => `all ${sent.length} messages; ${seen}`,
        context.recoveryMs,
      );
    },
  },
];
