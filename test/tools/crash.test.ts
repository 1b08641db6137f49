import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type ChildProgram, type ProgramEnd, startProgram } from "../../tools/process/child-program.js";

const CRASH = fileURLToPath(new URL("../../dist/tools/crash/main.js", import.meta.url));

async function crash(flags: readonly string[], act: (program: ChildProgram) => Promise<unknown>): Promise<ProgramEnd> {
  if (!existsSync(CRASH)) throw new Error(`${CRASH} is missing: run npm run build first`);
  const program = startProgram(CRASH, flags);
  try {
    await act(program);
    return await program.ended;
  } finally {
    await program.end();
  }
}

describe("npm run crash", { timeout: 120_000 }, () => {
  it("kills the server, and nothing is lost", async () => {
    let lines: readonly string[] = [];
    const { exitCode } = await crash(["--kills", "2", "--rate", "100", "--seed", "7"], async (program) => {
      ({ lines } = program);
      await program.ended;
    });
    const text = lines.join("\n");
    expect(text).toMatch(
      /kills +2\nposted +[1-9]\d*\nreceived +[1-9]\d*\nduplicates +\d+\nlost +0\nstuck +0\ndied +0\n/,
    );
    expect([exitCode, lines.at(-1)]).toEqual([0, "nothing was lost"]);
  });

  it("counts a server that dies while it starts, does not start it again, and fails", async () => {
    const folder = mkdtempSync(join(tmpdir(), "fairlead-crash-test-"));
    // No file can have this name; what stands beside it goes with the folder.
    const taken = join(folder, "taken");
    mkdirSync(taken);
    let lines: readonly string[] = [];
    try {
      const { exitCode } = await crash(["--broker", `sqlite:${taken}`], async (program) => {
        ({ lines } = program);
        await program.ended;
      });
      expect(exitCode).toBe(1);
      expect(lines.join("\n")).toMatch(/^died +1$/m);
      expect(lines.join("\n")).toMatch(/^FAILED: server 1 ended by itself with 1: fairlead: cannot use the broker /m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("ends all that it started at Ctrl-C", async () => {
    let pids: readonly number[] = [];
    const { exitCode } = await crash(["--kills", "100", "--seed", "1"], async (program) => {
      await program.line(/kill 1 of 100/, 60_000);
      pids = program.lines.flatMap((line) => {
        const pid = / pid=(\d+)/.exec(line)?.[1];
        return pid === undefined ? [] : [Number(pid)];
      });
      process.kill(program.pid, "SIGINT");
    });
    expect(exitCode).toBe(1);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it.each([
    ["--kills 0", "--kills must be"],
    ["--broker memory:", "dies with its server"],
    ["--servers 2", "a SQLite file has one server"],
    ["--broker nonsense", "--broker: "],
  ])("refuses %s", async (flags, text) => {
    let lines: readonly string[] = [];
    const { exitCode } = await crash(flags.split(" "), async (program) => {
      ({ lines } = program);
      await program.ended;
    });
    expect([exitCode, lines.length]).toEqual([2, 1]);
    expect(lines[0]).toContain(text);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
