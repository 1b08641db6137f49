import { describe, expect, it } from "vitest";
import { createEventsClient } from "../../adapters/grpc/index.js";
import { LoadLatency } from "../../src/cli/load-latency.js";
import { LoadLedger } from "../../src/cli/load-ledger.js";
import { LoadPace } from "../../src/cli/load-pace.js";
import { loadResult, progressLine } from "../../src/cli/load-result.js";
import { fromLoadToken, toLoadToken } from "../../src/cli/load-token.js";
import { CliProcess, freePort, linesOf, runCli, startServe } from "./cli-process.js";

interface Result {
  readonly posted: number;
  readonly received: number;
  readonly lost: number;
  readonly foreign: number;
  readonly leftOver: number;
}

const resultOf = (stdout: string): Result => JSON.parse(linesOf(stdout).at(-1) ?? "") as Result;

describe("fairlead load", { timeout: 60_000 }, () => {
  it("posts, receives, tells how it goes, and ends with 0 and its result", async () => {
    await using server = await startServe(["--broker", "memory:"]);
    const flags = ["--rate", "400", "--warmup", "500ms", "--events", "250", "--loops", "2", "--size", "500", "--json"];
    await using load = new CliProcess(["load", "--server", server.address, ...flags]);
    const { code, stdout, stderr } = await load.exit(40_000);
    expect([code, stderr.includes("loop 2 of 2")]).toEqual([0, true]);
    expect(stderr).toMatch(/^fairlead load: \d+ posted \(\d+\/s\), \d+ received, \d+ outstanding, p50 .*, p99 /m);
    expect(linesOf(stdout)).toHaveLength(1);
    expect(resultOf(stdout)).toMatchObject({
      posted: 500,
      received: 500,
      duplicates: 0,
      lost: 0,
      notPosted: 0,
      unknown: 0,
    });
  });

  it("ends the posting at a signal, and receives what was posted", async () => {
    await using server = await startServe(["--broker", "memory:"]);
    await using load = new CliProcess(["load", "--server", server.address, "--rate", "50", "--warmup", "0s"]);
    await load.until("events to flow", () => /[1-9]\d* received/.test(load.stderr));
    load.kill("SIGINT");
    const { code, stdout } = await load.exit(30_000);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+ posted, \d+ received, \d+ duplicates, 0 lost; 0 not posted, 0 unknown; p50 .* s\n$/);
  });

  it("counts what somebody else takes away as lost, and ends with 1", async () => {
    await using server = await startServe(["--broker", "memory:"]);
    await using thief = createEventsClient({ server: server.address });
    await thief.subscribe(() => {}, { concurrency: 10 });
    const flags = ["--events", "200", "--warmup", "0s", "--drain", "500ms", "--json"];
    const { code, stdout, stderr } = await runCli(["load", "--server", server.address, ...flags]);
    const { posted, received, lost } = resultOf(stdout);
    expect([code, posted, lost]).toEqual([1, 200, posted - received]);
    expect(lost).toBeGreaterThan(0);
    expect(stderr).toContain(`until nothing came for 500 ms`);
    expect(linesOf(stderr).at(-1)).toBe(`fairlead: ${lost} events were posted and not received`);
  });

  it("leaves the events of others to them, and takes away what is left over from runs that are over", async () => {
    await using server = await startServe(["--broker", "memory:", "--retry-schedule", "5s,5s"]);
    const client = createEventsClient({ server: server.address });
    await client.post({ not: "yours" });
    const postedAt = Date.now() - 60_000;
    await client.post({ of: "an earlier run" }, { token: toLoadToken({ run: "0badcafe", postedAt, number: 3 }) });
    const flags = ["--events", "5", "--rate", "100", "--warmup", "0s", "--json"];
    const { code, stdout } = await runCli(["load", "--server", server.address, ...flags]);
    expect([code, resultOf(stdout)]).toEqual([0, expect.objectContaining({ received: 5, foreign: 1, leftOver: 1 })]);
    let received: unknown;
    await client.subscribe((event) => {
      received = event.json();
    });
    await expect.poll(() => received, { timeout: 30_000 }).toEqual({ not: "yours" });
    await client.close();
  });

  it("takes nothing from a run beside it", async () => {
    const schedule = Array(20).fill("100ms").join(",");
    await using server = await startServe(["--broker", "memory:", "--retry-schedule", schedule]);
    const flags = ["--events", "100", "--rate", "50", "--warmup", "0s", "--drain", "10s", "--json"];
    const run = (): ReturnType<typeof runCli> => runCli(["load", "--server", server.address, ...flags]);
    let foreign = 0;
    // Of two processes that start together, one may be over before the other has begun.
    for (let tries = 0; foreign === 0; tries += 1) {
      expect(tries, "they never ran beside each other").toBeLessThan(5);
      for (const { code, stdout } of await Promise.all([run(), run()])) {
        const result = resultOf(stdout);
        expect([code, result]).toEqual([0, expect.objectContaining({ received: 100, lost: 0, leftOver: 0 })]);
        foreign += result.foreign;
      }
    }
  });

  it("ends with 1 when the server cannot be reached for good", async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { code, stdout, stderr } = await runCli(["load", "--server", address, "--timeout", "5s"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /^fairlead: .*no server took the subscription within 5000 ms.*ECONNREFUSED.*\(UNAVAILABLE\)\n$/,
    );
  });

  it("ends with 1 when the server goes away in the middle for good", async () => {
    await using server = await startServe(["--broker", "memory:"]);
    const flags = ["--rate", "100", "--warmup", "0s", "--timeout", "5s", "--drain", "300ms", "--json"];
    await using load = new CliProcess(["load", "--server", server.address, ...flags]);
    await load.until("events to flow", () => /[1-9]\d* received/.test(load.stderr));
    await server[Symbol.asyncDispose]();
    const { code, stderr } = await load.exit(30_000);
    expect([code, linesOf(stderr).at(-1)]).toEqual([
      1,
      `fairlead: nothing came through for 5000 ms at ${server.address}`,
    ]);
  });

  it("names all that is wrong with its flags", async () => {
    const flags = ["--server", "here", "--rate", "0", "--size", "-1", "--drain", "5", "--loops", "x"];
    const { code, stderr } = await runCli(["load", ...flags]);
    expect(code).toBe(2);
    for (const flag of ["server", "rate", "size", "drain", "loops"]) expect(stderr).toContain(`--${flag}: must be`);
  });
});

describe("the parts of fairlead load", () => {
  it("grows the rate along a straight line, and does not make up for more than a second", () => {
    const pace = new LoadPace({ rate: 100, warmupMs: 10_000 });
    const begun = [1_000, 5_000, 10_000, 11_000].map((elapsedMs) => {
      let sum = 0;
      // As often as it is asked in life.
      for (let due = pace.dueAt(elapsedMs); due > 0; due = pace.dueAt(elapsedMs)) {
        pace.begin(due);
        sum += due;
      }
      return sum;
    });
    // 5, then 120 of which a second's worth is left, then 375 likewise, then a second at the full rate.
    expect(begun).toEqual([5, 100, 100, 100]);
    const steady = new LoadPace({ rate: 100, warmupMs: 1_000 });
    let total = 0;
    for (let elapsedMs = 10; elapsedMs <= 2_000; elapsedMs += 10) {
      const due = steady.dueAt(elapsedMs);
      steady.begin(due);
      total += due;
    }
    expect(total).toBe(150);
  });

  it("tells quantiles to 2 %", () => {
    const latency = new LoadLatency();
    expect(latency.quantile(0.5)).toBeUndefined();
    for (let ms = 1; ms <= 1_000; ms += 1) latency.add(ms);
    for (const [share, ms] of [
      [0.5, 500],
      [0.99, 990],
      [1, 1_000],
    ] as const) {
      expect(Math.abs((latency.quantile(share) ?? 0) / ms - 1)).toBeLessThan(0.025);
    }
  });

  it("counts what is outstanding, in whatever order things come", () => {
    const ledger = new LoadLedger("a1", 6);
    const receive = (number: number, now: number, run = "a1"): boolean =>
      ledger.received({ run, postedAt: 0, number }, now);
    for (let number = 0; number < 6; number += 1) ledger.begin(number, 0);
    ledger.posted(0);
    receive(0, 10);
    receive(1, 30);
    ledger.posted(1);
    ledger.posted(2);
    ledger.refused(3);
    ledger.givenUp(4);
    ledger.givenUp(5);
    receive(5, 35);
    receive(1, 40);
    expect([receive(1, 50, "b2"), receive(6, 50), ledger.received(undefined, 50)]).toEqual([false, false, false]);
    expect(ledger.totals).toEqual({
      posted: 3,
      notPosted: 1,
      unknown: 1,
      received: 3,
      duplicates: 1,
      outstanding: 1,
      lost: 0,
      longestGapMs: 20,
    });
    ledger.rest(0, 2);
    expect(ledger.totals).toMatchObject({ outstanding: 1, lost: 0 });
    ledger.rest(2, 4);
    expect(ledger.totals).toMatchObject({ outstanding: 0, lost: 1 });
    expect(progressLine(ledger, 0)).toMatch(/, 0 outstanding, .* 1 lost so far$/);
    expect(loadResult(ledger, { seconds: 1, foreign: 0, leftOver: 0, acksFailed: 0 }).lost).toBe(1);
    receive(2, 60);
    expect(ledger.totals).toMatchObject({ outstanding: 0, lost: 0, received: 4 });
  });

  it("reads a token as it was written, and nothing else", () => {
    const token = { run: "0badcafe", postedAt: 1_800_000_000_000, number: 42 };
    expect(fromLoadToken(toLoadToken(token))).toEqual(token);
    for (const text of ["", "0badcafe-42", "load-x-1-2", "load-a-1-", "load-a-1-2-3"]) {
      expect(fromLoadToken(text)).toBeUndefined();
    }
  });
});
