import { describe, expect, it } from "vitest";
import { DEAD, newFile, openNode, settle, statesOf, until } from "./node.js";
import { startWorker } from "./start-worker.js";

const ROUNDS = 6;
/** A worker that is killed a moment after something was out may have settled it: then there is one more round. */
const MOST_ROUNDS = 4 * ROUNDS;
/** `FAIRLEAD_SQLITE_SEED` repeats what was drawn. */
const SEED = Number(process.env.FAIRLEAD_SQLITE_SEED ?? Date.now() % 1_000_000);

/** By each worker, however slowly the machine commits. */
const LEAST_STORED = 20;

function storedIn(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith("stored ")).length;
}

/** What a worker was handed and has not begun to settle, with how often it was handed out. */
function outOf(lines: readonly string[]): Map<string, number> {
  const out = new Map<string, number>();
  for (const line of lines) {
    const [what, id = "", deliveries] = line.split(" ");
    if (what === "delivered") out.set(id, Number(deliveries));
    // Whether that was committed is not known, but it is there.
    if (what === "returning" || what === "ending") out.delete(id);
  }
  return out;
}

describe("a process that is killed", () => {
  it("loses nothing that was stored, brings back what it had out, and nothing that was over", async () => {
    const file = newFile();
    const stored = new Set<string>();
    /** Of these it is not known whether their end was committed. */
    const ending = new Set<string>();
    const over = new Map<string, "acked" | "dead">();
    /** What was handed out in the last round and not settled. */
    let out = new Map<string, number>();
    process.stdout.write(`FAIRLEAD_SQLITE_SEED=${SEED}\n`);
    for (let round = 0; round < ROUNDS || (out.size === 0 && round < MOST_ROUNDS); round += 1) {
      const worker = await startWorker("work", file, SEED + round);
      await new Promise((resolve) => setTimeout(resolve, 60 + (((SEED + round) * 7_919) % 200)));
      await until(() => outOf(worker.lines).size > 0 && storedIn(worker.lines) >= LEAST_STORED);
      await worker.kill();
      out = outOf(worker.lines);
      for (const line of worker.lines) {
        const [what, id = ""] = line.split(" ");
        if (what === "stored") stored.add(id);
        if (what === "delivered") expect(over.has(id), `${id} came again after it was over`).toBe(false);
        if (what === "ending") ending.add(id);
        if (what === "acked" || what === "dead") {
          over.set(id, what);
        }
      }
    }
    expect(stored.size).toBeGreaterThan(100);

    const node = await openNode({ file });
    const { broker } = node;
    const states = await statesOf(node);
    const taking = await node.take(100_000);
    const counts = await node.connection.counts?.(DEAD);
    const dead = await node.take(100_000, DEAD);
    await until(() => dead.deliveries.length >= (counts?.ready ?? 0));
    await until(() => broker.stored.queues.find("orders")?.nextDue === Number.POSITIVE_INFINITY);
    const left = new Set(taking.ids());
    const given = new Set(dead.ids());
    for (const id of stored) {
      expect(left.has(id) || given.has(id) || ending.has(id), `${id} was stored and is lost`).toBe(true);
    }
    for (const [id, how] of over) {
      expect(left.has(id), `${id} is over and came again`).toBe(false);
      expect(given.has(id), `${id} was ${how}`).toBe(how === "dead");
    }
    expect(taking.ids().length).toBe(left.size);
    // Whatever was out when the last one was killed has been counted as a loss.
    const again = new Map(taking.deliveries.map((delivery) => [delivery.message.messageId, delivery]));
    for (const [id, before] of out) {
      const { deliveries, redelivered } = again.get(id) ?? {};
      expect({ id, deliveries, redelivered }).toEqual({ id, deliveries: before + 1, redelivered: true });
    }
    expect(out.size).toBeGreaterThan(0);
    expect(states.reaped).toBeGreaterThanOrEqual(out.size);
    for (const delivery of taking.deliveries) void delivery.settle("ack");
    await until(() => broker.stored.out.size === dead.deliveries.length);
  }, 60_000);

  it("leaves the file to the next one at once, and keeps others away as long as it lives", async () => {
    const file = newFile();
    const holder = await startWorker("hold", file);
    const refused = openNode({ file });
    await expect(refused).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining(`${file} is in use by process ${holder.pid}`),
    });
    await holder.kill();
    const node = await openNode({ file });
    await node.publish("one");
    const taking = await node.take(1);
    await settle(await taking.at(0));
  });
});
