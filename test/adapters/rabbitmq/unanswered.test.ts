import { describe, expect, it, onTestFinished } from "vitest";
import { DeclaringChannel } from "../../../adapters/rabbitmq/declaring-channel.js";
import { openLink } from "../../../adapters/rabbitmq/link.js";
import { resolveRabbitmqOptions } from "../../../adapters/rabbitmq/options.js";
import { parseServerUrl } from "../../../adapters/rabbitmq/server-url.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { waitUntil } from "../../../tools/process/wait-until.js";
import { connectDriver, proxied, refusal, testQueue, wire } from "./rig.js";

/** Also for what is answered: connecting, and the declarations before and after. */
const TIMEOUT_MS = 4_000;

describe("a rabbitmq broker that does not answer a declaration", () => {
  it("is waited for in bounded time, by those behind it, too; once it answers, declarations and publishes go on", async () => {
    const proxy = await proxied();
    const link = await connectDriver({ url: proxy.url, connectTimeoutMs: TIMEOUT_MS, heartbeatSeconds: 60 });
    const queues = ["first", "second"].map((purpose) => testQueue(purpose));
    const publish = (queue: (typeof queues)[number]) => link.connection.publish({ kind: "queue", queue }, wire("x"));
    await publish(testQueue("before"));
    proxy.stall();
    const watch = new Stopwatch();
    for (const error of await Promise.all(queues.map((queue) => refusal(link, publish(queue))))) {
      expect([error.code, error.message]).toEqual([
        "UNAVAILABLE",
        expect.stringMatching(
          new RegExp(`^queue ".*": the broker did not answer a declaration within ${TIMEOUT_MS} ms$`),
        ),
      ]);
    }
    expect(watch.undisturbedMs).toBeLessThan(TIMEOUT_MS * 4);
    proxy.resume();
    for (const queue of queues) await whenAnswered(() => publish(queue));
    expect(link.lost).toEqual([]);
  });

  it("holds up others for a moment only, and is not asked the same again until it has answered", async () => {
    const { declaring } = await opened(6_000);
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const ask = (subject: string) => declaring.run((channel) => channel.checkExchange("amq.topic"), { subject });
    const outcome = declaring.run(() => answered, { subject: "slow" }).catch(String);
    expect(await Promise.race([outcome, ask("other").then(() => "other")])).toBe("other");
    expect(await outcome).toContain("did not answer a declaration within 6000 ms");
    await expect(ask("slow")).rejects.toThrow("did not answer an earlier declaration of the same");
    answer();
    await whenAnswered(() => ask("slow"));
  });

  it("has its time for each step of a declaration: over a slow link all of them together may take longer", async () => {
    const { proxy, declaring } = await opened(TIMEOUT_MS);
    proxy.slow({ delayMs: 500 });
    const watch = new Stopwatch();
    await declaring.run(async (channel) => {
      for (let step = 0; step < 8; step += 1) await channel.checkExchange("amq.topic");
    });
    expect(watch.ms).toBeGreaterThan(TIMEOUT_MS);
  });

  it("loses the link once too much is unanswered", async () => {
    const { proxy, link, declaring } = await opened(20);
    const lost: unknown[] = [];
    link.onLost((error) => lost.push(error));
    proxy.stall();
    let asked = 0;
    for (; asked < 100 && lost.length === 0; asked += 1) {
      await declaring.run((channel) => channel.checkExchange("amq.topic")).catch(() => {});
    }
    expect([asked, String(lost[0])]).toEqual([65, expect.stringContaining("did not answer 65 declarations")]);
    proxy.resume();
  });
});

/** What was asked before may be answered a moment later. */
async function whenAnswered(act: () => Promise<unknown>): Promise<void> {
  await waitUntil(
    () =>
      act().then(
        () => true,
        (error: unknown) => {
          if (!String(error).includes("an earlier declaration")) throw error;
          return false;
        },
      ),
    { what: "an answer", timeoutMs: 10_000 },
  );
}

async function opened(timeoutMs: number) {
  const proxy = await proxied();
  const server = parseServerUrl(proxy.url);
  if ("fault" in server) throw new Error(server.fault);
  const options = resolveRabbitmqOptions({ url: proxy.url, heartbeatSeconds: 60 });
  const link = await openLink(server, options, "test", new AbortController().signal);
  onTestFinished(() => link.destroy());
  return { proxy, link, declaring: new DeclaringChannel(link, timeoutMs) };
}
