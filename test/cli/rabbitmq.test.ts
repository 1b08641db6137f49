import { randomUUID } from "node:crypto";
import type { Container } from "inversify";
import { describe, expect, it } from "vitest";
import { memoryModule } from "../../adapters/memory/index.js";
import { rabbitmqModule } from "../../adapters/rabbitmq/index.js";
import { brokerModule, createContainer, TOKENS } from "../../src/container/index.js";
import { deferred } from "../../src/util/deferred.js";
import { CliProcess, linesOf, runCli, startServe } from "./cli-process.js";

function brokerUrl(): string {
  const url = process.env.FAIRLEAD_TEST_RABBITMQ_URL;
  if (url === undefined) throw new Error("FAIRLEAD_TEST_RABBITMQ_URL is not set: this file needs the global set-up");
  return url;
}

const tokenOf = (line: string): string => (JSON.parse(line) as { readonly futureUserToken: string }).futureUserToken;

/** An application that knows ports only. */
async function greet(container: Container): Promise<string> {
  const messaging = container.get(TOKENS.Messaging);
  const queue = messaging.queue(`greetings-${randomUUID()}`);
  const received = deferred<string>();
  await queue.consume(async ({ body }) => received.resolve(Buffer.from(body).toString()));
  await queue.publish({ body: Buffer.from("hello") });
  const greeting = await received.promise;
  await container.unbindAllAsync();
  return `${greeting}, ${messaging.state}`;
}

describe("an application on a container", { timeout: 150_000 }, () => {
  it("differs by the module alone", async () => {
    const results = [
      await greet(createContainer(memoryModule())),
      await greet(createContainer(rabbitmqModule({ url: brokerUrl() }))),
      await greet(createContainer(brokerModule(brokerUrl(), { rabbitmq: { queueType: "classic" } }))),
    ];
    expect(results).toEqual(["hello, closed", "hello, closed", "hello, closed"]);
  });
});

describe("fairlead on RabbitMQ", { timeout: 150_000 }, () => {
  it("is the same commands with another URL, and shows no credential", async () => {
    await using server = await startServe(["--broker", brokerUrl(), "--queue", `cli-${randomUUID()}`]);
    const { hostname, port, password } = new URL(brokerUrl());
    const at = password === "" ? "" : "***@";
    expect(server.cli.stdout).toContain(` broker=amqp://${at}${hostname}:${port}`);
    const posted = await runCli(["post", "{}", "--server", server.address, "--count", "50"]);
    expect(posted).toEqual({ code: 0, stdout: "50 posted\n", stderr: "" });
    const { code, stderr } = await runCli(["subscribe", "--server", server.address, "--count", "50"]);
    expect([code, stderr]).toEqual([0, "50 received, 50 acked, 0 duplicates\n"]);
    server.cli.kill("SIGTERM");
    expect((await server.cli.exit()).code).toBe(0);
  });

  it("tells a wrong password in one line", async () => {
    const url = new URL(brokerUrl());
    url.username = "nobody";
    url.password = "hunter2";
    const result = await runCli(["serve", "--broker", url.href, "--listen", "127.0.0.1:0"]);
    expect(result.code).toBe(1);
    expect(linesOf(result.stderr)).toHaveLength(1);
    expect(result.stderr).toMatch(
      /^fairlead: cannot use the broker amqp:\/\/\*\*\*@.+refused user and password; correct them/,
    );
    expect(result.stderr).not.toContain("hunter2");
    expect(result.stdout).toBe("");
  });

  it("loses no posted event and repeats no acknowledged one when it is stopped under load", async () => {
    const args = ["--broker", brokerUrl(), "--queue", `cli-${randomUUID()}`, "--drain-ms", "10000"];
    await using first = await startServe(args);
    await using subscriber = new CliProcess(["subscribe", "--server", first.address]);
    const load = ["--count", "100000", "--timeout", "1s"];
    await using poster = new CliProcess(["post", "{}", "--server", first.address, ...load]);
    await subscriber.until("events", () => linesOf(subscriber.stdout).length >= 50);
    first.cli.kill("SIGTERM");
    expect((await first.cli.exit()).code).toBe(0);
    const posted = Number(/^(\d+) posted/.exec((await poster.exit()).stdout)?.[1]);
    subscriber.kill("SIGTERM");
    const before = await subscriber.exit();
    const [, received, acked] = /(\d+) received, (\d+) acked, 0 duplicates\n$/.exec(before.stderr) ?? [];
    expect(received).toBe(acked);

    await using second = await startServe(args);
    await using rest = new CliProcess(["subscribe", "--server", second.address]);
    const seen = new Set(linesOf(before.stdout).map(tokenOf));
    // A post that failed may have been stored all the same, so there may be more than were confirmed.
    await rest.until("the rest", () => seen.size + linesOf(rest.stdout).length >= posted, 90_000);
    rest.kill("SIGTERM");
    const again = linesOf((await rest.exit()).stdout).map(tokenOf);
    expect(again.filter((token) => seen.has(token))).toEqual([]);
    expect(new Set([...seen, ...again]).size).toBeGreaterThanOrEqual(posted);
  });
});
