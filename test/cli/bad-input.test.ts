import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliResult, freePort, linesOf, runCli, type ServeProcess, startServe } from "./cli-process.js";

/** One line on standard error, nothing else, no stack. */
function expectOneLine({ code, stdout, stderr }: CliResult, expected: { code: number; text: string; stdout?: string }) {
  expect(linesOf(stderr)).toHaveLength(1);
  expect(stderr).toMatch(/^fairlead: .+\n$/);
  expect(stderr).toContain(expected.text);
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+/);
  expect(stdout).toBe(expected.stdout ?? "");
  expect(code).toBe(expected.code);
}

describe("bad usage and bad input get one line and exit code 2", { timeout: 90_000 }, () => {
  it.each([
    [[], "known are serve, post, subscribe, request, load, health, dead and events"],
    [["deliver"], 'unknown command "deliver"'],
    [["serve", "--brocker", "memory:"], "unknown option '--brocker' (Did you mean --broker?)"],
    [["serve", "--broker", "kafka://user:hunter2@host"], "known schemes: memory:, sqlite:, amqp:, amqps:"],
    [["serve", "--broker", "amqp://user:hunter2@host:port"], "malformed"],
    [["serve", "--config", "/no/such/file.json"], "there is no such file"],
    [["post", "{"], "<json>: is not JSON"],
    [["post", "{}", "--at", "tomorrow"], "--at: must be an ISO 8601 date that exists"],
    [["subscribe", "--ack"], "unknown option '--ack'"],
    [["request", "rows"], "missing required argument 'json'"],
    [["request", "rows", "{"], "<json>: is not JSON"],
    [["request", "rows", "@/no/such/file.json"], "<json>: @/no/such/file.json cannot be read"],
    [["request", "rows", "{}", "--window", "2049"], "--window: must be a whole number from 1 to 2048"],
    [["request", "rows", "{}", "--priority", "urgent"], "--priority: must be one of bulk, standard, expedite"],
    [["request", "rows", "{}", "--timeout", "30"], "--timeout: must be a duration with a unit"],
    [["request", "rows", "{}", "--broker", "memory:"], "memory: lives within one process"],
    [["request", "rows", "{}", "--broker", "amqp://u:hunter2@h:port"], "malformed"],
    [["request", "rows", "{}", "--broker", "amqp://h", "--server", "h:1"], "--server and --broker: give one of them"],
    [["serve", "--sink", "/no/such/module.mjs"], "--sink /no/such/module.mjs cannot be read: there is no such file"],
  ])("%j", async (args, text) => {
    const result = await runCli(args);
    expectOneLine(result, { code: 2, text });
    expect(result.stderr).not.toContain("hunter2");
  });

  it("names all faults at once, each with where it came from", async () => {
    const result = await runCli(["serve", "--listen", "here", "--drain-ms", "-1"], {
      env: { FAIRLEAD_BROKER: "smtp:" },
    });
    expectOneLine(result, { code: 2, text: "--listen: must be" });
    expect(result.stderr).toContain("--drain-ms: must be");
    expect(result.stderr).toContain("FAIRLEAD_BROKER: the broker URL has the unknown scheme smtp:");
  });
});

describe("configuration files", { timeout: 90_000 }, () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fairlead-cli-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("refuses an unknown key by name, and never quotes the file", async () => {
    const path = join(folder, "bad.json");
    await writeFile(path, '{"brokr": "amqp://u:hunter2@h"}');
    const unknown = await runCli(["serve", "--config", path]);
    expectOneLine(unknown, {
      code: 2,
      text: `brokr in ${path}: unknown key; known keys are ackForwardIntervalMs, ackForwardTimeoutMs, ackTimeoutMs, broker, `,
    });
    await writeFile(path, '{"broker": "amqp://u:hunter2@h",, }');
    const broken = await runCli(["serve", "--config", path]);
    expectOneLine(broken, { code: 2, text: "is not JSON: look at line 1, column 33" });
    expect(unknown.stderr + broken.stderr).not.toContain("hunter2");
  });

  it("lets a flag win over the environment, that over the file, and that over the default", async () => {
    const [byFlag, byEnv, byFile] = await Promise.all([freePort(), freePort(), freePort()]);
    const path = join(folder, "good.json");
    await writeFile(path, JSON.stringify({ listen: `127.0.0.1:${byFile}`, broker: "memory:" }));
    const addressOf = async (args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> => {
      await using server = await startServe(["--config", path, ...args], { env });
      return server.address;
    };
    const env = { FAIRLEAD_LISTEN: `127.0.0.1:${byEnv}` };
    expect(await addressOf(["--listen", `127.0.0.1:${byFlag}`], env)).toBe(`127.0.0.1:${byFlag}`);
    expect(await addressOf([], env)).toBe(`127.0.0.1:${byEnv}`);
    expect(await addressOf([], { FAIRLEAD_LISTEN: "" })).toBe(`127.0.0.1:${byFile}`);
  });

  it("checks what is used only: a fault in the file that a flag overrides stops nobody", async () => {
    const path = join(folder, "overridden.json");
    await writeFile(path, JSON.stringify({ listen: "127.0.0.1:0", broker: "kafka://file" }));
    await using server = await startServe(["--config", path, "--broker", "memory:"]);
    expect(server.cli.stdout).toContain("broker=memory:");
  });
});

describe("what the world refuses gets one line and exit code 1", { timeout: 90_000 }, () => {
  let server: ServeProcess;
  beforeAll(async () => {
    server = await startServe(["--max-event-bytes", "1000"]);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("a port in use", async () => {
    const result = await runCli(["serve", "--listen", server.address]);
    expectOneLine(result, { code: 1, text: `listen on ${server.address}: the port is in use` });
  });

  it("a broker that refuses connections", async () => {
    const port = await freePort();
    const url = `amqp://user:hunter2@127.0.0.1:${port}`;
    const result = await runCli(["serve", "--broker", url, "--listen", "127.0.0.1:0", "--connect-timeout-ms", "600"]);
    expectOneLine(result, { code: 1, text: `cannot use the broker amqp://***@127.0.0.1:${port}` });
    expect(result.stderr).not.toContain("hunter2");
  });

  it("no server to post to", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const result = await runCli(["post", "{}", "--server", address, "--timeout", "3s"]);
    expectOneLine(result, { code: 1, text: `is fairlead serve running at ${address}?`, stdout: "0 posted\n" });
  });

  it("no server to subscribe at", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const result = await runCli(["subscribe", "--server", address, "--timeout", "3s"]);
    expectOneLine(result, { code: 1, text: `is fairlead serve running at ${address}?` });
  });

  it("an event over the limit, which is bad input", async () => {
    const result = await runCli(["post", JSON.stringify("x".repeat(1_000)), "--server", server.address]);
    expectOneLine(result, { code: 2, text: "takes at most 1000", stdout: "0 posted\n" });
  });

  it("a client id over the limit, which is bad input", async () => {
    const args = ["--server", server.address, "--client", "x".repeat(300)];
    expectOneLine(await runCli(["post", "{}", ...args]), { code: 2, text: "client id", stdout: "0 posted\n" });
    expectOneLine(await runCli(["subscribe", ...args]), { code: 2, text: "client id" });
  });

  it("shows where it happened only at --log-level debug", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const args = ["post", "{}", "--server", address, "--timeout", "300ms", "--log-level", "debug"];
    const { code, stderr } = await runCli(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\n {4}at /);
  });
});
