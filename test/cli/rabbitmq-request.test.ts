import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { CliProcess, linesOf, runCli, type ServeProcess, startServe } from "./cli-process.js";

const LARGE_RESULT = fileURLToPath(new URL("../../examples/large-result.mjs", import.meta.url));
const HANG = fileURLToPath(new URL("../../examples/hang.mjs", import.meta.url));
/** A server tells once in so long that its calls live. */
const LIFE_INTERVAL_MS = 1_000;
/** For a process to be killed, and for another to be told and to end, on a busy machine. */
const SLACK_MS = 5_000;

function brokerUrl(): string {
  const url = process.env.FAIRLEAD_TEST_RABBITMQ_URL;
  if (url === undefined) throw new Error("FAIRLEAD_TEST_RABBITMQ_URL is not set: this file needs the global set-up");
  return url;
}

const serve = (module: string): Promise<ServeProcess> => startServe(["--broker", brokerUrl(), "--sink", module]);
const request = (...args: readonly string[]): CliProcess =>
  new CliProcess(["request", ...args, "--broker", brokerUrl()]);

async function answeredBy(cli: CliProcess): Promise<number> {
  await cli.until("who answers", () => /answered by .*\n/.test(cli.stderr));
  return Number(/ pid=(\d+)\n/.exec(cli.stderr)?.[1]);
}

describe("two servers of one sink on RabbitMQ", { timeout: 120_000 }, () => {
  it("stream 100,000 rows straight over the broker, and over gRPC", async () => {
    await using first = await serve(LARGE_RESULT);
    await using second = await serve(LARGE_RESULT);
    await using direct = request("large-result", '{"rows":100000}');
    const { code, stdout } = await direct.exit(90_000);
    expect(code).toBe(0);
    expect(linesOf(stdout).map((line) => (JSON.parse(line) as { row: number }).row)).toEqual(
      Array.from({ length: 100_000 }, (_, index) => index + 1),
    );
    expect([first.cli.pid, second.cli.pid]).toContain(await answeredBy(direct));
    const grpc = await runCli(["request", "large-result", '{"rows":3}', "--server", second.address]);
    expect([grpc.code, linesOf(grpc.stdout).length]).toEqual([0, 3]);
  });

  it("tell the caller within three life intervals when the one that streams is killed", async () => {
    await using first = await serve(LARGE_RESULT);
    await using second = await serve(LARGE_RESULT);
    await using cli = request("large-result", '{"rows":10000000}');
    const pid = await answeredBy(cli);
    const victim = [first.cli, second.cli].find((server) => server.pid === pid);
    expect(victim, "the pid that was printed is a server's").toBeDefined();
    await cli.until("rows", () => cli.stdout.length > 100_000);
    victim?.kill("SIGKILL");
    const watch = new Stopwatch();
    const { code, stderr } = await cli.exit();
    expect(watch.undisturbedMs).toBeLessThan(3 * LIFE_INTERVAL_MS + SLACK_MS);
    expect(code).toBe(1);
    expect(stderr).toMatch(/\nfairlead: request large-result at amqp:.* \(after \d+ responses\) \(UNAVAILABLE\)\n$/);
  });

  it("tell a caller behind the gRPC server of another process as soon, when the one that streams is killed", async () => {
    await using server = await serve(LARGE_RESULT);
    await using gateway = await startServe(["--broker", brokerUrl()]);
    await using cli = new CliProcess(["request", "large-result", '{"rows":10000000}', "--server", gateway.address]);
    expect(await answeredBy(cli)).toBe(server.cli.pid);
    await cli.until("rows", () => cli.stdout.length > 100_000);
    server.cli.kill("SIGKILL");
    const watch = new Stopwatch();
    const { code, stderr } = await cli.exit();
    expect(watch.undisturbedMs).toBeLessThan(3 * LIFE_INTERVAL_MS + SLACK_MS);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ \(after \d+ responses\) \(UNAVAILABLE\)\n$/);
  });

  it("answer an idempotent request whose server is killed before its first response", async () => {
    await using first = await serve(LARGE_RESULT);
    await using second = await serve(LARGE_RESULT);
    await using cli = request("large-result", '{"rows":3,"delayMs":3000}', "--idempotent");
    const servers = [first.cli, second.cli];
    const takenBy = (): CliProcess | undefined => servers.find((server) => server.stderr.includes(": 3 rows"));
    await cli.until("a server that has it", () => takenBy() !== undefined);
    const victim = takenBy();
    victim?.kill("SIGKILL");
    const { code, stdout } = await cli.exit(30_000);
    expect([code, linesOf(stdout).length]).toEqual([0, 3]);
    expect(await answeredBy(cli)).toBe(servers.find((server) => server !== victim)?.pid);
  });

  it("do not run a request twice that is not idempotent: its caller is told", async () => {
    await using first = await serve(LARGE_RESULT);
    await using second = await serve(LARGE_RESULT);
    await using cli = request("large-result", '{"rows":3,"delayMs":3000}');
    const servers = [first.cli, second.cli];
    const takenBy = (): CliProcess | undefined => servers.find((server) => server.stderr.includes(": 3 rows"));
    await cli.until("a server that has it", () => takenBy() !== undefined);
    const victim = takenBy();
    victim?.kill("SIGKILL");
    const { code, stderr } = await cli.exit();
    expect([code, /\(UNAVAILABLE\)\n$/.test(stderr)], stderr).toEqual([1, true]);
    expect(servers.find((server) => server !== victim)?.stderr).not.toContain(": 3 rows");
  });
});

describe("a handler that hangs on RabbitMQ", { timeout: 60_000 }, () => {
  it("is ended by TIMEOUT at the deadline, and its slot is free again", async () => {
    await using server = await serve(HANG);
    await using hung = request("hang", '{"hang":true}', "--timeout", "1s");
    const { code, stderr } = await hung.exit();
    expect([code, / \(TIMEOUT\)\n$/.test(stderr)], stderr).toEqual([1, true]);
    await using next = request("hang", '{"hang":false}', "--timeout", "10s");
    expect((await next.exit()).stdout).toBe('"here I am"\n');
    expect(server.cli.stdout).toContain("sinks=hang");
  });
});
