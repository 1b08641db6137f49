import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { CliProcess, freePort, linesOf, MAIN, runCli, startServe } from "./cli-process.js";
import { RefusingListener } from "./refusing-listener.js";

interface Line {
  readonly clientId: string;
  readonly eventJson: unknown;
  readonly userToken: string;
  readonly futureUserToken: string;
  readonly effectiveDate: string;
  readonly searchKey1: string;
  readonly searchKey2: string;
}

const parse = (stdout: string): Line[] => linesOf(stdout).map((line) => JSON.parse(line) as Line);

describe("fairlead serve", { timeout: 90_000 }, () => {
  it.each(["SIGTERM", "SIGINT"] as const)("says once that it is ready, and ends with 0 at %s", async (signal) => {
    await using server = await startServe();
    const { cli, address } = server;
    const [ready, node = ""] = cli.stdout.split(" node=");
    expect(ready).toBe(`fairlead ready listen=${address} broker=memory: pid=${cli.pid}`);
    expect(node).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    cli.kill(signal);
    const { code, stdout, stderr } = await cli.exit();
    expect(code).toBe(0);
    expect(linesOf(stdout)).toHaveLength(1);
    expect(stderr).toMatch(/^\S+ info {2}stopping drainMs=30000\n$/);
  });

  it("is an executable of its own", async () => {
    const { stdout } = await promisify(execFile)(MAIN, ["--version"]);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("stops while it still waits for its broker", async () => {
    await using refusing = await RefusingListener.listen();
    const broker = `amqp://127.0.0.1:${refusing.port}`;
    await using cli = new CliProcess(["serve", "--broker", broker, "--listen", "127.0.0.1:0"]);
    await refusing.refused(1);
    cli.kill("SIGTERM");
    const { code, stdout } = await cli.exit();
    expect([code, stdout]).toEqual([0, ""]);
  });

  it.each([
    ["SIGUSR2", 'throw new Error("boom")', []],
    ["SIGUSR2", 'Promise.reject(new Error("boom"))', []],
    ["SIGUSR2", 'throw new Error("boom")', ["--log-level", "debug"]],
  ] as const)("ends with 1 and one line at an error that nobody caught (%s: %s, %j)", async (signal, code, args) => {
    const preload = `process.on("${signal}", () => { ${code} })`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    await using server = await startServe(args, { env });
    server.cli.kill(signal);
    const result = await server.cli.exit();
    expect(result.code).toBe(1);
    if (args.length === 0) expect(result.stderr).toBe("fairlead: boom\n");
    else expect(result.stderr).toMatch(/\nfairlead: boom\nError: boom\n {4}at /);
  });

  it("has its names in its output and in every line of its log, and no event in it, whatever becomes of that", async () => {
    const names = ["--node-id", "node-seven", "--node-name", "tokyo"];
    const noisy = ["--log-level", "debug", "--log-format", "json", "--retry-schedule", ""];
    await using server = await startServe([...names, ...noisy]);
    expect(server.cli.stdout).toMatch(/ node=node-seven\n$/);
    await runCli(["post", '{"order":"hunter2"}', "--server", server.address]);
    await runCli(["subscribe", "--server", server.address, "--count", "1", "--nack"]);
    server.cli.kill("SIGTERM");
    const { stderr } = await server.cli.exit();
    const entries = linesOf(stderr).map((line) => JSON.parse(line) as { readonly node?: string });
    expect(entries.length).toBeGreaterThan(3);
    for (const { node } of entries) expect(node).toBe("tokyo");
    expect(stderr).not.toContain("hunter2");
  });

  it("logs in JSON to standard error", async () => {
    await using server = await startServe(["--log-format", "json", "--log-level", "debug"]);
    server.cli.kill("SIGTERM");
    const { stderr } = await server.cli.exit();
    const messages = linesOf(stderr).map((line) => (JSON.parse(line) as { readonly message: string }).message);
    expect(messages).toEqual(expect.arrayContaining(["connection open", "stopping", "connection closed"]));
  });
});

describe("fairlead post and subscribe", { timeout: 90_000 }, () => {
  it("hands over what was posted, each once, and counts it", async () => {
    await using server = await startServe();
    await using subscriber = new CliProcess(["subscribe", "--server", server.address, "--count", "40"]);
    const event = '{"id": 12345678901234567890, "name": "ü"}';
    const keys = ["--key1", "-9223372036854775808", "--key2", "7", "--client", "me"];
    const posted = await runCli(["post", event, "--server", server.address, "--count", "40", ...keys]);
    expect(posted).toEqual({ code: 0, stdout: "40 posted\n", stderr: "" });

    const { code, stdout, stderr } = await subscriber.exit();
    expect([code, stderr]).toEqual([0, "40 received, 40 acked, 0 duplicates\n"]);
    expect(stdout).toContain('"id": 12345678901234567890');
    const lines = parse(stdout);
    expect(new Set(lines.map((line) => line.futureUserToken)).size).toBe(40);
    expect(new Set(lines.map((line) => line.userToken)).size).toBe(40);
    expect(lines[0]).toMatchObject({ clientId: "me", searchKey1: "-9223372036854775808", searchKey2: "7" });
    expect(lines[0]?.eventJson).toMatchObject({ name: "ü" });
    expect(Math.abs(Date.parse(lines[0]?.effectiveDate ?? "") - Date.now())).toBeLessThan(30_000);
  });

  it("delivers not before the date", async () => {
    await using server = await startServe();
    const at = new Date(Date.now() + 1_500);
    await runCli(["post", '"later"', "--server", server.address, "--at", at.toISOString()]);
    const { stdout } = await runCli(["subscribe", "--server", server.address, "--count", "1"]);
    expect(Date.now()).toBeGreaterThanOrEqual(at.getTime());
    expect(parse(stdout)[0]).toMatchObject({ eventJson: "later", effectiveDate: at.toISOString() });
  });

  it("refuses with --nack, and the event comes again", async () => {
    await using server = await startServe(["--retry-schedule", "100ms,100ms"]);
    await runCli(["post", "{}", "--server", server.address]);
    const nacked = await runCli(["subscribe", "--server", server.address, "--count", "1", "--nack"]);
    expect(nacked).toMatchObject({ code: 0, stderr: "1 received, 0 acked, 0 duplicates, 1 nacked\n" });
    const acked = await runCli(["subscribe", "--server", server.address, "--count", "1"]);
    expect(acked).toMatchObject({ code: 0, stderr: "1 received, 1 acked, 0 duplicates\n" });
    expect(parse(acked.stdout)[0]?.futureUserToken).toBe(parse(nacked.stdout)[0]?.futureUserToken);
  });

  it("counts what comes twice to one subscriber", async () => {
    await using server = await startServe(["--retry-schedule", "50ms,50ms"]);
    await using subscriber = new CliProcess(["subscribe", "--server", server.address, "--nack"]);
    await runCli(["post", "{}", "--server", server.address]);
    await subscriber.until("three deliveries", () => linesOf(subscriber.stdout).length === 3);
    subscriber.kill("SIGINT");
    const { code, stderr } = await subscriber.exit();
    expect([code, stderr]).toEqual([0, "3 received, 0 acked, 2 duplicates, 3 nacked\n"]);
  });

  it("waits for a server that comes up late, and posts each event once", async () => {
    const refusing = await RefusingListener.listen();
    const address = `127.0.0.1:${refusing.port}`;
    await using poster = new CliProcess(["post", "{}", "--server", address, "--count", "5"]);
    await using subscriber = new CliProcess(["subscribe", "--server", address, "--count", "5"]);
    await refusing.refused(3);
    await refusing[Symbol.asyncDispose]();
    await using _ = await startServe(["--listen", address]);
    expect(await poster.exit()).toEqual({ code: 0, stdout: "5 posted\n", stderr: "" });
    expect(await subscriber.exit()).toMatchObject({ code: 0, stderr: "5 received, 5 acked, 0 duplicates\n" });
  });

  it("subscribes again when its server was killed and is back", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await using subscriber = new CliProcess(["subscribe", "--server", address, "--count", "2"]);
    for (const round of [1, 2]) {
      await using server = await startServe(["--listen", address]);
      await runCli(["post", String(round), "--server", address]);
      await subscriber.until(`event ${round}`, () => linesOf(subscriber.stdout).length === round);
      if (round === 2) await subscriber.exit();
      server.cli.kill("SIGKILL");
      await server.cli.exit();
    }
    const { code, stdout, stderr } = await subscriber.exit();
    expect(code).toBe(0);
    expect(parse(stdout).map((line) => line.eventJson)).toEqual([1, 2]);
    expect(linesOf(stderr)).toEqual([
      expect.stringMatching(/^fairlead: the stream broke: .+; subscribing again$/),
      // The kill may have come before the first ack arrived.
      expect.stringMatching(/^2 received, [12] acked, 0 duplicates$/),
    ]);
  });

  it("gives back what it was handed beyond its count", async () => {
    await using server = await startServe();
    await runCli(["post", "{}", "--server", server.address, "--count", "9"]);
    const tokens: string[] = [];
    for (const count of ["1", "3", "5"]) {
      const { stdout, stderr } = await runCli(["subscribe", "--server", server.address, "--count", count]);
      expect(stderr).toBe(`${count} received, ${count} acked, 0 duplicates\n`);
      tokens.push(...parse(stdout).map((line) => line.futureUserToken));
    }
    expect(new Set(tokens).size).toBe(9);
  });

  it("ends quietly when nobody reads its output", async () => {
    await using server = await startServe();
    await using subscriber = new CliProcess(["subscribe", "--server", server.address]);
    await runCli(["post", "1", "--server", server.address]);
    await subscriber.until("the first event", () => linesOf(subscriber.stdout).length === 1);
    subscriber.closeStdout();
    await runCli(["post", "2", "--server", server.address]);
    const { code, stderr } = await subscriber.exit();
    expect([code, stderr]).toEqual([0, "2 received, 1 acked, 0 duplicates\n"]);
    const next = await runCli(["subscribe", "--server", server.address, "--count", "1"]);
    expect(parse(next.stdout)[0]?.eventJson).toBe(2);
  });
});
