import assert from "node:assert";
import { randomUUID } from "node:crypto";
import type { ContractCase } from "../case.js";
import type { ContractContext, ContractLink } from "../context.js";
import { type Consuming, draw, send, spec, wire } from "./steps.js";

interface Busy extends ContractLink {
  readonly consuming: Consuming;
  /** Everything that a connection can be asked, under way. */
  readonly underWay: Promise<readonly PromiseSettledResult<unknown>[]>;
}

const nothing = (): void => {};

/** Asks for all of it at once, just before `then`. */
async function busy(context: ContractContext, purpose: string, then: () => Promise<void>): Promise<Busy> {
  const queue = spec(context, purpose);
  const link = await context.link();
  const { connection } = link;
  const consuming = await draw(context, link, queue, 2);
  await send(context, connection, queue, "one", "two");
  const [one, two] = await consuming.out.count(2);
  assert.ok(one !== undefined && two !== undefined);
  await then();
  const asked: Promise<unknown>[] = [
    connection.publish({ kind: "queue", queue }, wire("three")),
    connection.publish({ kind: "broadcast", name: queue.name }, wire("signal")),
    connection.publish({ kind: "inbox", address: randomUUID() }, wire("frame")),
    connection.consume(queue, { prefetch: 0 }, nothing, nothing),
    connection.subscribe(queue.name, randomUUID(), nothing, nothing),
    connection.openInbox(nothing, nothing),
    one.delivery.settle("ack"),
    two.delivery.settle("release"),
    consuming.consumer.setPrefetch(5),
  ];
  if (connection.take !== undefined) asked.push(connection.take(queue));
  if (connection.counts !== undefined) asked.push(connection.counts(queue));
  return { ...link, consuming, underWay: Promise.allSettled(asked) };
}

async function allSettle(context: ContractContext, { driver, underWay }: Busy): Promise<void> {
  for (const outcome of await context.soon(underWay, "all that was asked for", context.recoveryMs)) {
    if (outcome.status !== "rejected") continue;
    const error = driver.toMessagingError(outcome.reason);
    assert.equal(error.code, "UNAVAILABLE", `refused with ${error.code}: ${error.message}`);
  }
}

/** Connections that end amid everything. */
export const driverLossCases: readonly ContractCase[] = [
  {
    id: "D-56",
    sentence:
      "a lost connection settles all that it was asked for, with UNAVAILABLE if it fails, and tells its loss once",
    needs: ["dropConnections"],
    async run(context) {
      const link = await busy(context, "lost-busy", async () => {});
      await context.dropConnections();
      await allSettle(context, link);
      await link.lost.count(1, context.recoveryMs);
      await context.soon(link.consuming.consumer.stop(), "stop of a consumer whose connection is lost");
      await context.soon(link.connection.close(), "close of a connection that is lost");
      assert.equal(link.lost.items.length, 1);
    },
  },
  {
    id: "D-57",
    sentence:
      "a connection that is cut while it closes is closed: close resolves, all that it was asked for settles, no loss is told",
    needs: ["dropConnections"],
    async run(context) {
      const link = await busy(context, "closed-busy", async () => {});
      const closing = link.connection.close();
      await context.dropConnections();
      await context.soon(closing, "close, cut meanwhile", context.recoveryMs);
      await allSettle(context, link);
      await context.link();
      assert.equal(link.lost.items.length, 0, "a loss was told of a connection that was being closed");
    },
  },
  {
    id: "D-58",
    sentence:
      "a connection to a broker that is silent can be closed: close resolves, and all that it was asked for settles",
    needs: ["freezeBroker", "thawBroker"],
    async run(context) {
      context.atEnd(context.fault("thawBroker"));
      const link = await busy(context, "closed-silent", context.fault("freezeBroker"));
      await context.soon(link.connection.close(), "close while the broker is silent", 5_000);
      await allSettle(context, link);
      assert.equal(link.lost.items.length, 0, "a loss was told of a connection that was being closed");
    },
  },
  {
    id: "D-59",
    sentence:
      "one who asks a lost connection again and again, each time at once, does not keep its loss from being told",
    needs: ["dropConnections"],
    async run(context) {
      const queue = spec(context, "lost-asked");
      const { connection, lost } = await context.link();
      await send(context, connection, queue, "one");
      await context.dropConnections();
      const deadline = performance.now() + context.recoveryMs;
      while (lost.items.length === 0 && performance.now() < deadline) {
        // Nothing else is waited for, so that nothing else gives the event loop its turn.
        await connection.publish({ kind: "queue", queue }, wire("again")).catch(() => undefined);
        await connection.publish({ kind: "broadcast", name: queue.name }, wire("again")).catch(() => undefined);
        await connection.subscribe(queue.name, randomUUID(), nothing, nothing).catch(() => undefined);
      }
      assert.equal(lost.items.length, 1);
    },
  },
];
