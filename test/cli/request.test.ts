import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { CliProcess, type CliResult, freePort, linesOf, runCli, type ServeProcess, startServe } from "./cli-process.js";

const SINKS = fileURLToPath(new URL("sinks.mjs", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../examples/", import.meta.url));
const ANSWERED = /^fairlead: answered by node=(\S+) pid=(\d+)$/m;

let server: ServeProcess;
let folder = "";

const request = (...args: readonly string[]): Promise<CliResult> =>
  runCli(["request", ...args, "--server", server.address]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-request-"));
  const modules = [SINKS, `${EXAMPLES}large-result.mjs`, `${EXAMPLES}hang.mjs`];
  server = await startServe(modules.flatMap((path) => ["--sink", path]));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

describe("fairlead request", { timeout: 60_000 }, () => {
  it("prints each response as one line of JSON, and says who answers", async () => {
    const { code, stdout, stderr } = await request("large-result", '{"rows":1000}');
    expect([code, linesOf(stdout).length]).toEqual([0, 1_000]);
    expect(linesOf(stdout).at(-1)).toBe('{"row":1000,"text":"this is row 1000 of 1000"}');
    const [, node, pid] = ANSWERED.exec(stderr) ?? [];
    expect(linesOf(server.cli.stdout)[0]).toContain(
      ` pid=${pid} node=${node} sinks=echo,bytes,endless,large-result,hang`,
    );
    expect(stderr).toMatch(/\nfairlead: 1000 responses\n$/);
  });

  it("sends the JSON as it is written, also from a file", async () => {
    expect((await request("echo", '{"a":"ü"}')).stdout).toBe('{"a":"ü"}\n');
    const path = join(folder, "request.json");
    await writeFile(path, '\uFEFF["from", "a file"]\n');
    expect((await request("echo", `@${path}`)).stdout).toBe('["from","a file"]\n');
    expect(linesOf((await request("bytes", "12345678901234567890")).stdout).at(-1)).toBe("12345678901234567890");
  });

  it("keeps whatever comes in its line", async () => {
    const { code, stdout } = await request("bytes", "[]");
    expect([code, ...linesOf(stdout)]).toEqual([
      0,
      '{"contentType":"image/png","bytes":2,"base64":"AP8="}',
      '"two\\nlines"',
      '{   "large": 12345678901234567890 }',
      "[]",
    ]);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "aborts the call at %s: exit code 130, and the server stops",
    async (signal) => {
      const before = linesOf(server.cli.stderr).filter((line) => line.startsWith("endless")).length;
      await using cli = new CliProcess(["request", "endless", "null", "--server", server.address]);
      await cli.until("some responses", () => cli.stdout.length > 1_000);
      cli.kill(signal);
      const { code, stderr } = await cli.exit();
      expect(code).toBe(130);
      expect(stderr).toMatch(/\nfairlead: interrupted after \d+ responses\n$/);
      const aborted = (): boolean =>
        linesOf(server.cli.stderr).filter((line) => line === "endless: ABORTED").length > before;
      await server.cli.until("the abort at the server", aborted);
    },
  );

  it("ends when whoever reads has had enough", async () => {
    await using cli = new CliProcess(["request", "endless", "null", "--server", server.address]);
    await cli.until("some responses", () => cli.stdout.length > 1_000);
    cli.closeStdout();
    expect((await cli.exit()).code).toBe(0);
  });

  it("tells a hung handler by TIMEOUT at the deadline, and its slot is free again", async () => {
    const watch = new Stopwatch();
    const hung = await request("hang", '{"hang":true}', "--timeout", "1s");
    expect(watch.undisturbedMs).toBeLessThan(15_000);
    expect([hung.code, hung.stdout]).toEqual([1, ""]);
    expect(linesOf(hung.stderr)).toHaveLength(1);
    expect(hung.stderr).toMatch(
      /^fairlead: request hang at 127\.0\.0\.1:\d+: .*does its handler answer\? \(TIMEOUT\)\n$/,
    );
    // There is one slot of each lane.
    const after = await request("hang", '{"hang":false}', "--timeout", "10s");
    expect([after.code, after.stdout]).toEqual([0, '"here I am"\n']);
  });

  it("gives the words of a handler that throws, and exit code 1", async () => {
    const { code, stderr } = await request("large-result", "null");
    expect(code).toBe(1);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(stderr).toMatch(/^fairlead: request large-result at .*Cannot read properties of null.* \(REMOTE\)\n$/);
  });

  it("says where to look when there is no server", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { code, stderr } = await runCli(["request", "echo", "1", "--server", address, "--timeout", "5s"]);
    expect(code).toBe(1);
    expect(linesOf(stderr)).toHaveLength(1);
    expect(stderr).toContain(`ECONNREFUSED ${address}; is fairlead serve running at ${address}?`);
  });
});

describe("fairlead serve --sink", { timeout: 60_000 }, () => {
  const refused = async (source: string, ...others: readonly string[]): Promise<string> => {
    const path = join(folder, "module.mjs");
    await writeFile(path, source);
    const result = await runCli(["serve", "--listen", "127.0.0.1:0", "--sink", path, ...others]);
    expect([result.code, result.stdout, linesOf(result.stderr).length], result.stderr).toEqual([2, "", 1]);
    return result.stderr;
  };

  it.each([
    ["export const sink = {};", "must export sinks, a record of sinks by name: export const sinks = { name: sinkOf("],
    ["export const sinks = {};", "exports no sink: sinks is empty"],
    ["export const sinks = { rows: async () => {} };", "exports a sinks.rows that is no sink"],
    ["export const sinks = { a: { signal() {}, abort() {} } }; export const options = { b: {} };", 'options for "b"'],
    [
      "export const sinks = { a: { signal() {}, abort() {} } }; export const options = { a: 5 };",
      "options.a that is no",
    ],
    ["export const sinks = { a: { signal() {}, abort() {} } }; export const options = { a: { x: 1 } };", "x"],
    ["export const sinks = {", "cannot be loaded: SyntaxError"],
    ['throw new RangeError("not today");', "cannot be loaded: RangeError: not today"],
    ['import "no-such-package";', "cannot be loaded: Error: Cannot find package 'no-such-package'"],
  ])("refuses %j in one line", async (source, text) => {
    expect(await refused(source)).toContain(text);
  });

  it("names all faults at once, two modules with one name among them", async () => {
    const text = await refused(
      "export const sinks = { echo: { signal() {}, abort() {} } };",
      "--sink",
      SINKS,
      "--sink",
      folder,
    );
    expect(text).toContain('has a sink "echo", which');
    expect(text).toContain(`--sink ${folder} is a directory`);
  });

  it("takes the modules from the configuration file, too, and lets gRPC clients reach only what it may", async () => {
    const path = join(folder, "config.json");
    await writeFile(path, JSON.stringify({ sink: SINKS, remoteSinks: [], listen: "127.0.0.1:0" }));
    await using own = await startServe(["--config", path]);
    expect((await runCli(["request", "echo", "1", "--server", own.address])).stdout).toBe("1\n");
    const { code, stderr } = await runCli(["request", "other", "1", "--server", own.address]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/there is no sink "other" on this server.* \(NOT_FOUND\)\n$/);
  });

  it("lets a call that runs finish when it is stopped", async () => {
    await using own = await startServe(["--sink", `${EXAMPLES}large-result.mjs`]);
    const args = ["request", "large-result", '{"rows":3,"delayMs":1500}', "--server", own.address];
    await using cli = new CliProcess(args);
    await own.cli.until("the call", () => own.cli.stderr.includes(": 3 rows"));
    own.cli.kill("SIGTERM");
    const [called, served] = await Promise.all([cli.exit(), own.cli.exit()]);
    expect([called.code, linesOf(called.stdout).length, served.code]).toEqual([0, 3, 0]);
  });
});
