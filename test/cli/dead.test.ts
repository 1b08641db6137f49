import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CliProcess, type CliResult, linesOf, runCli, type ServeProcess, startServe } from "./cli-process.js";

/** A server that gives an event up at the first nack. */
function serve(): Promise<ServeProcess> {
  return startServe(["--broker", "memory:", "--queue", "orders", "--retry-schedule", ""]);
}

/** Posts so many events with this key, and gives them up. */
async function giveUp({ address }: ServeProcess, count: number, key1: string): Promise<void> {
  const args = ["--server", address, "--count", String(count)];
  const body = `{"of": "key ${key1}", "big": 12345678901234567890}`;
  expect((await runCli(["post", body, ...args, "--key1", key1])).code).toBe(0);
  expect((await runCli(["subscribe", "--nack", ...args])).code).toBe(0);
}

function dead({ address }: ServeProcess, ...args: string[]): Promise<CliResult> {
  return runCli(["dead", ...args, "--server", address]);
}

interface Shown {
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
}

const shown = ({ stdout }: CliResult): Shown[] => linesOf(stdout).map((line) => JSON.parse(line) as Shown);

describe("fairlead dead, through a server", { timeout: 60_000 }, () => {
  it("lists, shows, purges and replays what was given up", async () => {
    await using server = await serve();
    await giveUp(server, 3, "5");
    await giveUp(server, 2, "6");

    const list = await dead(server, "list");
    expect([list.code, list.stderr]).toEqual([0, "5 dead letters of this server\n"]);
    const line =
      /^[0-9a-f-]{36} {2}20\d\d-\S+Z {2}attempts=1 {2}orders {2}"given up after 1 .*nack" {2}\{"of": "key 5", /;
    expect(linesOf(list.stdout)).toHaveLength(5);
    expect(list.stdout).toMatch(line);

    const some = await dead(server, "list", "--where", "key1=6", "--json");
    const [first, second] = shown(some);
    expect(shown(some)).toHaveLength(2);
    expect(some.stdout).toContain('"body":{"of": "key 6", "big": 12345678901234567890}}');
    expect(first?.headers).toMatchObject({ "dead-letter-queue": "orders", "dead-letter-attempts": "1" });

    const one = await dead(server, "show", "--id", first?.messageId ?? "");
    expect(one.stdout).toContain(`id:        ${first?.messageId}\n`);
    expect(one.stdout).toContain("dead-letter-reason: given up after 1 failed attempts");
    expect(one.stdout).toContain('\n\n{"of": "key 6", "big": 12345678901234567890}\n');
    expect([(await dead(server, "show", "--id", "none")).code, one.code]).toEqual([1, 0]);

    const purged = await dead(server, "purge", "--id", second?.messageId ?? "");
    expect(purged).toEqual({ code: 0, stdout: "1 removed\n", stderr: "" });

    const replayed = await dead(server, "replay", "--where", "key1=5", "--limit", "2", "--rate", "1000");
    expect([replayed.code, replayed.stdout]).toEqual([0, "2 replayed\n"]);
    expect(replayed.stderr).toBe("fairlead: the limit of 2 was replayed; there may be more\n");
    const { stderr } = await runCli(["subscribe", "--server", server.address, "--count", "2"]);
    expect(stderr).toBe("2 received, 2 acked, 0 duplicates\n");

    expect((await dead(server, "replay", "--to", "elsewhere")).stdout).toBe("2 replayed\n");
    expect((await dead(server, "list")).stderr).toBe("0 dead letters of this server\n");
    const counts = await runCli(["events", "counts", "--server", server.address, "--queue", "elsewhere"]);
    expect(counts.stdout).toMatch(/^ready=2 {2}delayed=0 {2}in-processing=0 {2}oldest=\d+\.\ds\n$/);
  });

  it("stops a replay at a signal, says how far it came, and goes on where it was", async () => {
    await using server = await serve();
    await giveUp(server, 6, "5");
    await using replay = new CliProcess(["dead", "replay", "--rate", "0.2", "--server", server.address]);
    for (let ready = 0; ready < 1; ) {
      const { stdout } = await runCli(["events", "counts", "--json", "--server", server.address]);
      ready = (JSON.parse(stdout) as { readonly ready: number }).ready;
    }
    replay.kill("SIGINT");
    const { code, stdout, stderr } = await replay.exit();
    expect([code, stderr]).toEqual([1, "fairlead: dead replay: stopped by a signal; it can be repeated\n"]);
    // Of what is moved while the signal comes, not all need be counted.
    const moved = Number(/^(\d+) replayed\n$/.exec(stdout)?.[1]);
    expect(moved).toBeLessThan(6);
    expect((await dead(server, "replay")).code).toBe(0);
    const counts = await runCli(["events", "counts", "--json", "--server", server.address]);
    expect((JSON.parse(counts.stdout) as { readonly ready: number }).ready).toBeGreaterThanOrEqual(6);
    expect((await dead(server, "list")).stderr).toBe("0 dead letters of this server\n");
  });

  it("does nothing without being told to what, and tells faults and failures in one line", async () => {
    await using server = await serve();
    await giveUp(server, 1, "5");
    const results = await Promise.all([
      dead(server, "purge"),
      dead(server, "list", "--queue", "nowhere"),
      runCli(["events", "list", "--server", server.address]),
      runCli(["events", "remove", "--server", server.address, "--all"]),
    ]);
    expect(results.map(({ code }) => code)).toEqual([2, 1, 1, 1]);
    expect(results.map(({ stderr }) => linesOf(stderr).length)).toEqual([1, 1, 1, 1]);
    const [purge, nowhere, list, remove] = results.map(({ stderr }) => stderr);
    expect(purge).toContain("purge: say which with --id or --where, or --all for all of them");
    expect(nowhere).toMatch(/there is no queue nowhere\.dead.*\(NOT_FOUND\)/);
    for (const text of [list, remove]) {
      expect(text).toMatch(
        /needs the capability inspection "all".*fairlead dead for what was given up \(UNSUPPORTED\)/,
      );
    }
    expect((await dead(server, "purge", "--all")).stdout).toBe("1 removed\n");
  });
});

describe("fairlead events, on a server with a store", { timeout: 60_000 }, () => {
  it("removes no more than the limit, and says that there may be more", async () => {
    const directory = mkdtempSync(join(tmpdir(), "fairlead-events-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    await using server = await startServe(["--broker", `sqlite:${join(directory, "events.db")}`]);
    const events = (...args: string[]) => runCli(["events", ...args, "--server", server.address]);
    expect((await runCli(["post", "{}", "--server", server.address, "--count", "3"])).code).toBe(0);
    const removed = await events("remove", "--all", "--limit", "2");
    expect(removed).toEqual({
      code: 0,
      stdout: "2 removed\n",
      stderr: "fairlead: the limit of 2 was removed; there may be more\n",
    });
    expect((await events("counts")).stdout).toMatch(/^ready=1 {2}delayed=0 {2}in-processing=0/);
    expect(await events("remove", "--all")).toEqual({ code: 0, stdout: "1 removed\n", stderr: "" });
  });
});
