import { describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../../adapters/rabbitmq/index.js";
import { createMessaging, MessagingError } from "../../../src/index.js";
import { brokerNode, brokerUrl } from "./broker.js";
import { connectDriver, operator, refusal, testQueue, wire } from "./rig.js";
import { testUser } from "./users.js";

describe("a publish that rabbitmq refuses (nack)", () => {
  it("is sent once more on a fresh channel, then told as REJECTED; the next goes on, and others are not refused", async () => {
    const user = await testUser();
    const credentials = () => user;
    const link = await connectDriver({ url: brokerUrl, credentials, topology: "none" });
    const { connection } = link;
    const { declare, take } = await operator();
    const [full, other] = [testQueue("full"), testQueue("other")];
    await declare(full.name, { arguments: { "x-max-length": 1, "x-overflow": "reject-publish" } });
    await declare(other.name);
    const publish = (queue: typeof full, body: string) => connection.publish({ kind: "queue", queue }, wire(body));
    const channels = async (): Promise<string[]> => {
      const rows = (await brokerNode().control("list_channels", "user", "confirm", "pid")).split("\n");
      return rows.flatMap((row) => {
        const [name, confirm, pid] = row.split("\t");
        return name === user.username && confirm === "true" && pid !== undefined ? [pid] : [];
      });
    };
    await publish(full, "one");
    const before = await channels();
    const together = await Promise.allSettled([
      publish(full, "two"),
      ...Array.from({ length: 50 }, (_, index) => publish(other, String(index))),
    ]);
    expect(together.map(({ status }) => status)).toEqual([
      "rejected",
      ...Array.from({ length: 50 }, () => "fulfilled"),
    ]);
    const error = await refusal(link, publish(full, "three"));
    expect([MessagingError.is(error, "REJECTED"), error.retryable]).toEqual([true, true]);
    await take(full.name);
    await publish(full, "four");
    const after = await channels();
    expect([before.length, after.length]).toEqual([1, 1]);
    expect(after).not.toEqual(before);
    expect((await take(full.name)).content.toString()).toBe("four");
    expect(link.lost).toEqual([]);
  });
});

describe("a quorum queue of ours that refuses, as it does while it elects its leader", () => {
  it("is given time: publishes wait, and are stored in their order once it takes them", async () => {
    const { name, queue, unboundSoon } = await full("electing");
    await unboundSoon();
    const bodies = Array.from({ length: 30 }, (_, index) => String(index));
    const published = await Promise.allSettled(bodies.map((body) => queue.publish({ body: Buffer.from(body) })));
    expect(new Set(published.map(({ status }) => status))).toEqual(new Set(["fulfilled"]));
    const { take } = await operator();
    const stored: string[] = [];
    while (stored.at(-1) !== "29") stored.push((await take(name)).content.toString());
    expect(stored.filter((body) => body !== FILLER)).toEqual(bodies);
  });

  it("is taken for full when that lasts: REJECTED after some seconds, and from then on at once", async () => {
    const { queue } = await full("full for good");
    const refused = async (): Promise<[unknown, number]> => {
      const started = performance.now();
      const error: unknown = await queue.publish({ body: Buffer.from("one") }).catch((reason: unknown) => reason);
      return [MessagingError.is(error) ? error.code : error, performance.now() - started];
    };
    const [code, afterMs] = await refused();
    expect([code, afterMs > 3_000, afterMs < 15_000]).toEqual(["REJECTED", true, true]);
    const [again, againMs] = await refused();
    expect([again, againMs < 4_500]).toEqual(["REJECTED", true]);
  });
});

const FILLER = "filler";

/** On one node there are no elections to wait for: a policy's bound makes a queue say the same. */
async function full(purpose: string) {
  const { name } = testQueue(purpose);
  const node = brokerNode();
  await node.control("set_policy", "--apply-to", "queues", name, `^${name}$`, JSON.stringify({ "max-length": 1 }));
  // It may be gone by then.
  onTestFinished(() => node.control("clear_policy", name).then(ignore, ignore));
  const messaging = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl }) });
  onTestFinished(() => messaging.close({ drainMs: 1_000 }));
  const queue = messaging.queue(name);
  await queue.publish({ body: Buffer.from(FILLER) });
  // Past the driver, which has seen no refusal yet. The bound of a quorum queue is soft by a few messages.
  const { publish } = await operator();
  for (let filler = 0; filler < 5; filler += 1) await publish(name, FILLER);
  /** In the broker, a moment after this resolves: rabbitmqctl may take longer than an election. */
  const unboundSoon = async (): Promise<void> => {
    const policy = `<<"${name}">>`;
    await node.control(
      "eval",
      `spawn(fun() -> timer:sleep(2000), rabbit_policy:delete(<<"/">>, ${policy}, <<"test">>) end).`,
    );
  };
  return { name, queue, unboundSoon };
}

function ignore(): void {}
