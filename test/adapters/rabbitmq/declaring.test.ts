import { expect, test } from "vitest";
import { connectDriver, testQueue, wire } from "./rig.js";

/**
 * One in thirty cost a link before the links of a connection took turns, and one in a hundred a message before what is
 * refused was sent once more.
 */
const ROUNDS = 40;
const ROUND_MS = 10_000;

test("two nodes that publish to and consume from a new queue at the same moment succeed", {
  timeout: 240_000,
}, async () => {
  const [one, other] = [await connectDriver(), await connectDriver()];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const queue = testQueue("declared-at-once");
    const lost: unknown[] = [];
    const consume = ({ connection }: typeof one) =>
      connection.consume(
        queue,
        { prefetch: 1 },
        (delivery) => void delivery.settle("ack"),
        (error) => lost.push(error),
      );
    const all = Promise.allSettled([
      one.connection.publish({ kind: "queue", queue }, wire("first")),
      consume(one),
      consume(other),
    ]);
    const outcomes = await Promise.race([all, late(round)]);
    const refusals = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    expect({ round, refusals, lost, links: [...one.lost, ...other.lost] }).toEqual({
      round,
      refusals: [],
      lost: [],
      links: [],
    });
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled" && outcome.value !== undefined) await outcome.value.stop();
    }
  }
});

function late(round: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`round ${round} was not over within ${ROUND_MS} ms`)), ROUND_MS).unref();
  });
}
