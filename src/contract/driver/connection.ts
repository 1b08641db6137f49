import assert from "node:assert";
import { MessagingError } from "../../index.js";
import type { ContractCase } from "../case.js";
import { numbered } from "../text.js";
import { draw, send, spec, wire } from "./steps.js";

/** Connecting, losing, closing, and errors. */
export const driverConnectionCases: readonly ContractCase[] = [
  {
    id: "D-30",
    sentence: "a driver has a name, and capabilities that are whole, frozen, and those the harness declares",
    async run(context) {
      const driver = context.driver();
      assert.ok(driver.name.length > 0);
      assert.deepEqual(structuredClone(driver.capabilities), structuredClone(context.capabilities));
      assert.ok(Object.isFrozen(driver.capabilities) && Object.isFrozen(driver.capabilities.queue), "not frozen");
      const { queue, broadcast, maxMessageBytes } = driver.capabilities;
      for (const name of ["persistent", "deadLetter", "delayedDelivery", "expiry", "priority"] as const) {
        assert.equal(typeof queue[name], "boolean", name);
      }
      assert.ok(["none", "until-requeue", "strict"].includes(queue.ordering));
      assert.equal(typeof broadcast.loopback, "boolean");
      assert.ok(Number.isSafeInteger(maxMessageBytes) && maxMessageBytes > 0, "maxMessageBytes");
    },
  },
  {
    id: "D-31",
    sentence: "a lost connection is told once, though many things hang on it; what was under way settles",
    needs: ["dropConnections"],
    async run(context) {
      const link = await context.link();
      const queue = spec(context, "lost");
      await draw(context, link, queue, 5);
      await draw(context, link, queue, 5);
      const publishing = Promise.allSettled(
        numbered("m", 20).map((body) => link.connection.publish({ kind: "queue", queue }, wire(body))),
      );
      await context.dropConnections();
      await link.lost.count(1);
      await context.soon(publishing, "the publishes under way");
      const late = link.connection.publish({ kind: "queue", queue }, wire("late"));
      const [outcome] = await context.soon(Promise.allSettled([late]), "a publish after the loss");
      assert.equal(outcome.status, "rejected", "a publish on a lost connection resolved");
      assert.ok(MessagingError.is(link.driver.toMessagingError(link.lost.items[0])));
      await context.soon(link.connection.close(), "close of what is lost");
      assert.equal(link.lost.items.length, 1);
    },
  },
  {
    id: "D-32",
    sentence: "connect with an aborted signal rejects; aborted later, it settles soon",
    async run(context) {
      const driver = context.driver();
      const nothing = (): void => {};
      const options = { onLost: nothing, onBlocked: nothing, onReturned: nothing };
      const attempt = driver.connect({ ...options, signal: AbortSignal.abort(new Error("changed my mind")) });
      const [early] = await context.soon(Promise.allSettled([attempt]), "connect with an aborted signal");
      assert.equal(early.status, "rejected", "connect with an aborted signal resolved");
      const abort = new AbortController();
      const connecting = driver.connect({ ...options, signal: abort.signal });
      abort.abort(new Error("changed my mind"));
      const [later] = await context.soon(Promise.allSettled([connecting]), "connect, its signal aborted");
      if (later.status === "fulfilled") await context.soon(later.value.close(), "close");
    },
  },
  {
    id: "D-33",
    sentence:
      "toMessagingError makes a MessagingError of anything, keeps the cause, and leaves a MessagingError as it is",
    async run(context) {
      const driver = context.driver();
      const ours = new MessagingError("NOT_FOUND", "no such thing");
      assert.equal(driver.toMessagingError(ours), ours);
      const vendors = Object.assign(new Error("vendor's words"), { code: 12345 });
      const odd: unknown[] = [
        "text",
        "",
        42,
        null,
        undefined,
        {},
        Symbol("odd"),
        new Error("plain"),
        vendors,
        Object.create(null),
      ];
      for (const value of odd) {
        const error = driver.toMessagingError(value);
        assert.ok(MessagingError.is(error));
        assert.ok(error.message.length > 0, "an error without a word");
        if (value instanceof Error) assert.equal(error.cause, value, "the cause is kept");
      }
    },
  },
  {
    id: "D-34",
    sentence: "after close every operation rejects, with an error that translates; close itself resolves again",
    async run(context) {
      const { driver, connection, lost } = await context.link();
      const queue = spec(context, "closed");
      await context.soon(connection.close(), "close");
      const nothing = (): void => {};
      const attempts = {
        "publish to a queue": () => connection.publish({ kind: "queue", queue }, wire("late")),
        "publish of a broadcast": () => connection.publish({ kind: "broadcast", name: queue.name }, wire("late")),
        "publish to an inbox": () => connection.publish({ kind: "inbox", address: "nowhere" }, wire("late")),
        consume: () => connection.consume(queue, { prefetch: 1 }, nothing, nothing),
        subscribe: () => connection.subscribe(queue.name, "node-1", nothing, nothing),
        openInbox: () => connection.openInbox(nothing, nothing),
      };
      for (const [what, attempt] of Object.entries(attempts)) {
        // In a promise, so that a throw counts as a rejection.
        const [outcome] = await context.soon(Promise.allSettled([Promise.resolve().then<unknown>(attempt)]), what);
        assert.equal(outcome.status, "rejected", `${what} after close resolved`);
        if (outcome.status === "rejected") assert.ok(MessagingError.is(driver.toMessagingError(outcome.reason)));
      }
      await context.soon(connection.close(), "a second close");
      assert.equal(lost.items.length, 0, "a close that was asked for is no loss");
    },
  },
  {
    id: "D-35",
    sentence: "close flushes publishes that were handed over: each settles, and what resolved is stored",
    async run(context) {
      const { connection } = await context.link();
      const queue = spec(context, "close-publishing");
      await send(context, connection, queue, "first");
      const bodies = numbered("m", 50);
      const publishing = Promise.allSettled(
        bodies.map((body) => connection.publish({ kind: "queue", queue }, wire(body))),
      );
      await context.soon(connection.close(), "close");
      const outcomes = await context.soon(publishing, "the publishes under way");
      const stored = bodies.filter((_, index) => outcomes[index]?.status === "fulfilled");
      assert.deepEqual(stored, bodies, "publishes that were handed over before close were not flushed");
      const { out } = await draw(context, await context.link(), queue, 100);
      await out.until((items) => ["first", ...bodies].every((body) => items.some((item) => item.text === body)), "all");
    },
  },
  {
    id: "D-36",
    sentence: "connections of one driver are independent: closing one leaves the other as it is",
    async run(context) {
      const driver = context.driver();
      const one = await context.link(driver);
      const two = await context.link(driver);
      const queue = spec(context, "independent");
      const { out } = await draw(context, two, queue, 5);
      await context.soon(one.connection.close(), "close");
      await send(context, two.connection, queue, "one");
      await out.count(1);
      assert.equal(two.lost.items.length, 0);
    },
  },
];
