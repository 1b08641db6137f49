import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { rabbitmqDriver } from "../../adapters/rabbitmq/index.js";
import { createMessaging } from "../../src/index.js";
import { RABBITMQ_URL_VARIABLE } from "../../tools/test/broker-project.js";
import { linesOf, runCli } from "./cli-process.js";

function brokerUrl(): string {
  const url = process.env[RABBITMQ_URL_VARIABLE];
  if (url === undefined) throw new Error(`${RABBITMQ_URL_VARIABLE} is not set: this file needs the global set-up`);
  return url;
}

/** A queue with so many dead letters in it. */
async function queueWithDead(count: number): Promise<string> {
  const queue = `cli-dead-${randomUUID()}`;
  const messaging = createMessaging({ driver: rabbitmqDriver({ url: brokerUrl() }) });
  onTestFinished(() => messaging.close({ drainMs: 1_000 }));
  let given = 0;
  const consumer = await messaging.queue(queue).consume(async ({ settled }) => {
    void settled.then(() => {
      given += 1;
    });
    return { deadLetter: "no such customer" };
  });
  for (let index = 0; index < count; index += 1) {
    const headers = { region: index % 2 === 0 ? "even" : "odd" };
    await messaging.queue(queue).publish({ body: Buffer.from(`body ${index}`), messageId: `m${index}`, headers });
  }
  const deadline = Date.now() + 10_000;
  while (given < count) {
    if (Date.now() > deadline) throw new Error(`${given} of ${count} were given up`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await consumer.close();
  return queue;
}

describe("fairlead dead, straight at RabbitMQ", { timeout: 60_000 }, () => {
  it("lists, replays and purges, shows no credential, and says what this broker cannot show", async () => {
    const queue = await queueWithDead(6);
    const dead = (...args: string[]) => runCli(["dead", ...args, "--broker", brokerUrl(), "--queue", queue]);

    const list = await dead("list", "--where", "region=odd");
    expect([list.code, list.stderr]).toEqual([0, `3 dead letters in ${queue}.dead\n`]);
    const ids = linesOf(list.stdout).map((line) => line.split("  ")[0]);
    expect([...ids].sort()).toEqual(["m1", "m3", "m5"]);
    expect(list.stdout).toContain(`attempts=1  ${queue}  "no such customer"  body `);

    // By another process, and nothing was lost by looking.
    expect((await dead("list")).stderr).toBe(`6 dead letters in ${queue}.dead\n`);
    expect((await dead("replay", "--where", "region=odd", "--rate", "500")).stdout).toBe("3 replayed\n");
    expect((await dead("purge", "--id", "m0")).stdout).toBe("1 removed\n");
    expect((await dead("list")).stderr).toBe(`2 dead letters in ${queue}.dead\n`);

    const events = (...args: string[]) => runCli(["events", ...args, "--broker", brokerUrl(), "--queue", queue]);
    expect((await events("counts")).stdout).toBe("ready=3  delayed=unknown  in-processing=unknown\n");
    const refused = await events("list");
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toMatch(/needs the capability inspection "all".*\(UNSUPPORTED\)/);
  });

  it("tells a queue that is not there, and a broker that is not", async () => {
    const missing = await runCli(["dead", "list", "--broker", brokerUrl(), "--queue", `no-${randomUUID()}`]);
    expect(missing.code).toBe(1);
    expect(linesOf(missing.stderr)).toHaveLength(1);
    expect(missing.stderr).toContain("(NOT_FOUND)");
    const password = "hunter2";
    const url = `amqp://nobody:${password}@127.0.0.1:1`;
    const gone = await runCli(["dead", "list", "--broker", url, "--timeout", "1s"]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toContain("cannot use the broker amqp://***@127.0.0.1:1");
    expect(gone.stderr).not.toContain(password);
  });
});
