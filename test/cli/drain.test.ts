import { afterEach, describe, expect, it } from "vitest";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { CliProcess, linesOf, startServe } from "./cli-process.js";
import { SlowSubscriber } from "./slow-subscriber.js";

const subscribers: SlowSubscriber[] = [];
afterEach(() => {
  for (const subscriber of subscribers.splice(0)) subscriber.end();
});

function slowSubscriber(address: string, ackAfterMs: number | undefined): SlowSubscriber {
  const subscriber = new SlowSubscriber(address, ackAfterMs);
  subscribers.push(subscriber);
  return subscriber;
}

describe("fairlead serve, stopped", { timeout: 90_000 }, () => {
  it("under load waits for the acks of what is out, refuses posts, and ends with 0 within the drain", async () => {
    await using server = await startServe(["--drain-ms", "8000", "--ack-timeout-ms", "30000"]);
    const { cli, address } = server;
    const slow = [slowSubscriber(address, 700), slowSubscriber(address, 700)];
    await using poster = new CliProcess(["post", "{}", "--server", address, "--count", "1000000", "--timeout", "1s"]);
    for (const subscriber of slow) await subscriber.received(6);
    const watch = new Stopwatch();
    cli.kill("SIGTERM");
    const { code, stdout } = await cli.exit();
    const drainedMs = watch.undisturbedMs;
    expect(code).toBe(0);
    expect(linesOf(stdout)).toHaveLength(1);
    expect(drainedMs).toBeLessThan(8_000);
    // What was out at the signal could be acknowledged, and nothing that was handed over was cut off.
    for (const subscriber of slow) {
      await subscriber.ended();
      expect(subscriber.failedAcks).toEqual([]);
      expect(subscriber.acknowledged).toBe(subscriber.count);
      expect(new Set(subscriber.tokens).size).toBe(subscriber.count);
    }
    const all = slow.flatMap((subscriber) => subscriber.tokens);
    expect(new Set(all).size).toBe(all.length);
    const posted = await poster.exit();
    expect(posted.code).toBe(1);
    expect(posted.stderr).toContain("UNAVAILABLE");
  });

  it("gives up the acks that do not come, when the drain is over", async () => {
    await using server = await startServe(["--drain-ms", "400", "--ack-timeout-ms", "60000"]);
    const { cli, address } = server;
    const silent = slowSubscriber(address, undefined);
    await using poster = new CliProcess(["post", "{}", "--server", address]);
    await poster.exit();
    await silent.received(1);
    const watch = new Stopwatch();
    cli.kill("SIGTERM");
    expect((await cli.exit()).code).toBe(0);
    expect(watch.ms).toBeGreaterThanOrEqual(400);
  });

  it("ends at once, with 130, at a second signal", async () => {
    await using server = await startServe(["--drain-ms", "60000", "--ack-timeout-ms", "60000"]);
    const { cli, address } = server;
    const silent = slowSubscriber(address, undefined);
    await using poster = new CliProcess(["post", "{}", "--server", address]);
    await poster.exit();
    await silent.received(1);
    cli.kill("SIGTERM");
    await cli.until("the drain", () => cli.stderr.includes("stopping"));
    const again = setInterval(() => cli.kill("SIGINT"), 50);
    const { code } = await cli.exit(20_000).finally(() => clearInterval(again));
    expect(code).toBe(130);
  });
});
