import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChildProgram, startProgram } from "../tools/process/child-program.js";
import { identifyProcess, isAlive, killProcess, type ProcessIdentity } from "../tools/process/process-identity.js";
import { waitUntil } from "../tools/process/wait-until.js";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SERVER_READY = /server 1 is ready at \S+ pid=(?<pid>\d+)$/;

describe("npm run demo", () => {
  const programs: ChildProgram[] = [];
  // The default broker is a file here: one for each test, so that none meets what another has left.
  let directory = "";
  const start = (name: "demo" | "broker", ...flags: string[]): ChildProgram => {
    const program = startProgram(`${ROOT}dist/tools/${name}/main.js`, flags, { cwd: directory });
    programs.push(program);
    return program;
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "fairlead-demo-test-"));
  });
  afterEach(async () => {
    await Promise.all(programs.splice(0).map((program) => program.end(20_000)));
    rmSync(directory, { recursive: true, force: true });
  });

  it("loses nothing on the embedded durable broker, also when its server is killed", async () => {
    const demo = start("demo", "--events", "100", "--kill-server");
    expect(await demo.ended, demo.lines.join("\n")).toEqual({ exitCode: 0, signal: undefined });
    expect(demo.lines[0]).toContain("broker sqlite:./fairlead-data/events.db");
    expect(existsSync(join(directory, "fairlead-data/events.db"))).toBe(true);
    expect(summaryOf(demo)).toMatchObject({ posted: 100, distinct: 100, lost: 0 });
    expect(demo.lines.at(-1)).toBe("nothing was lost");
  });

  it("loses nothing on RabbitMQ while the broker and a server are killed, and gives every subscriber a share", async () => {
    const broker = start("broker");
    const url = (await broker.line(/^(amqp:\S+) pid=\d+$/, 60_000))[1] ?? "";
    const flags = ["--servers", "2", "--subscribers", "3", "--events", "300", "--kill-broker", "--kill-server"];
    const demo = start("demo", "--broker", url, ...flags);
    expect(await demo.ended, demo.lines.join("\n")).toEqual({ exitCode: 0, signal: undefined });
    expect(summaryOf(demo)).toMatchObject({ posted: 300, distinct: 300, lost: 0 });
    const text = demo.lines.join("\n");
    expect(text).toMatch(/the broker pid=\d+ was killed/);
    expect(text).toMatch(/server 1 pid=\d+ was killed/);
    for (const name of ["subscriber 1", "subscriber 2", "subscriber 3"]) {
      expect(summaryOf(demo)[name], text).toBeGreaterThan(0);
    }
  });

  it("fails, with what was lost, when a server dies that nobody meant to kill", async () => {
    const demo = start("demo", "--events", "100000");
    const server = await serverOf(demo);
    await demo.line(/posted, /, 30_000);
    await killProcess(server);
    expect((await demo.ended).exitCode).toBe(1);
    expect(demo.lines.at(-1)).toMatch(/^FAILED: server 1 ended with SIGKILL.*events were not posted/);
  });

  it("says in one line why it cannot begin", async () => {
    const demo = start("demo", "--broker", "amqp://127.0.0.1:1", "--servers", "2");
    expect((await demo.ended).exitCode).toBe(1);
    expect(demo.lines.at(-1)).toMatch(
      /^FAILED: server \d did not start: fairlead: cannot use the broker amqp:.*; 1000 events/,
    );
  });

  it.each(["SIGINT", "SIGKILL"] as const)("leaves no server behind after %s", async (signal) => {
    const demo = start("demo", "--events", "100000");
    const server = await serverOf(demo);
    process.kill(demo.pid, signal);
    await demo.ended;
    await waitUntil(() => !isAlive(server), { what: "the server to be gone", timeoutMs: 10_000 });
  });

  it.each([
    [["--server", "2"], "npm run demo: unknown option '--server'"],
    [["extra"], "npm run demo: too many arguments"],
    [["--events", "many", "--servers", "0"], "npm run demo: --servers must be a whole number from 1 to 16; --events "],
    [["--servers", "2"], "npm run demo: --servers 2: this broker lives in its one server"],
    [["--broker", "redis://127.0.0.1"], "npm run demo: --broker: the broker URL has the unknown scheme redis:"],
    [["--broker", "amqp://me:secret@127.0.0.1:1", "--kill-broker"], "npm run demo: --kill-broker: no npm run broker "],
  ])("refuses %j in one line", async (flags, line) => {
    const demo = start("demo", ...flags);
    expect((await demo.ended).exitCode).toBe(2);
    expect(demo.lines).toEqual([expect.stringContaining(line)]);
    expect(demo.lines[0]).not.toContain("secret");
  });
});

/** The rows of the table at the end. */
function summaryOf(demo: ChildProgram): Readonly<Record<string, number>> {
  const rows = demo.lines.map((line) => /^ {2}(\w[\w ]*?) +([\d.]+)$/.exec(line)).filter((row) => row !== null);
  return Object.fromEntries(rows.map(([, label, value]) => [label, Number(value)]));
}

async function serverOf(demo: ChildProgram): Promise<ProcessIdentity> {
  const pid = Number((await demo.line(SERVER_READY, 30_000)).groups?.pid);
  const identity = identifyProcess(pid);
  if (identity === undefined) throw new Error(`there is no server with pid ${pid}`);
  return identity;
}
