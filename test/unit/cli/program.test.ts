import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exitCodeOf, failureText } from "../../../src/cli/failure.js";
import { runProgram } from "../../../src/cli/program.js";

const folder = mkdtempSync(join(tmpdir(), "fairlead-program-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failureOf(args: readonly string[]): Promise<{ text: string; code: number }> {
  try {
    await runProgram(args);
  } catch (error) {
    return { text: failureText(error), code: exitCodeOf(error) };
  }
  throw new Error("it did not fail");
}

describe("runProgram", { timeout: 60_000 }, () => {
  it.each([
    [["serve", "now"], "too many arguments"],
    [["serve", "--listen"], "argument missing"],
    [["serve", "--broker", "memory:disk"], "nothing after the colon"],
    [["serve", "--broker", "amqp://user:pass@host?heartbeat=1"], "--broker: "],
    [["serve", "--listen", "10001"], "--listen: must be host:port"],
    [["serve", "--listen", "127.0.0.1:70000"], "port from 0 to 65535"],
    [["serve", "--ack-timeout-ms", "5s"], "--ack-timeout-ms: must be a whole number of milliseconds"],
    [["serve", "--ack-timeout-ms", ""], "--ack-timeout-ms: must be a whole number of milliseconds"],
    [["serve", "--retry-schedule", "1m,soon"], "--retry-schedule: must be a list of durations"],
    [["serve", "--retry-schedule", "400d"], "--retry-schedule: must be a list of durations of at most a year"],
    [["serve", "--retry-schedule", Array(51).fill("1s").join(",")], "--retry-schedule: must hold at most 50"],
    [["serve", "--log-level", "loud"], "--log-level: must be one of error, warn, info, debug"],
    [["serve", "--queue", ""], "--queue: the name of a queue must be a non-empty string"],
    [["post"], "missing required argument 'json'"],
    [["post", ""], "<json>: is not JSON"],
    [["post", "{}", "--at", "2026-02-30T00:00:00Z"], "--at: must be an ISO 8601 date that exists"],
    [["post", "{}", "--at", ""], "--at: must be an ISO 8601 date that exists"],
    [["post", "{}", "--key1", "9223372036854775808"], "--key1: must be a whole number from -2^63"],
    [["post", "{}", "--key2", "1.5"], "--key2: must be a whole number from -2^63"],
    [["post", "{}", "--count", "0"], "--count: must be a whole number, at least 1"],
    [["post", "{}", "--timeout", "30"], "--timeout: must be a duration with a unit"],
    [["post", "{}", "--timeout", "0s"], "--timeout: must be a duration with a unit"],
    [["post", "{}", "--server", "localhost"], "--server: must be host:port"],
    [["post", "{", "--count", "x", "--at", "x"], "--count: must be a whole number, at least 1; <json>: is not JSON"],
    [["subscribe", "--count", "-1"], "--count: must be a whole number, at least 1"],
    [["subscribe", "--log-level", "loud"], "--log-level: must be one of"],
  ])("refuses %j", async (args, text) => {
    const failure = await failureOf(args);
    expect(failure.text).toContain(text);
    expect(failure.text).toMatch(/^fairlead: .+$/);
    expect(failure.code).toBe(2);
  });

  it.each([
    ["{", "is not JSON"],
    ["[]", "must hold a JSON object"],
    ["null", "must hold a JSON object"],
    ['{"__proto__": {"listen": "x"}}', "__proto__ in "],
    ['{"ackTimeoutMs": "5000"}', "must be a whole number of milliseconds"],
    ['{"retrySchedule": "1m"}', "must be a list of durations"],
    ['{"config": "other.json"}', "config in "],
  ])("refuses the file %s", async (content, text) => {
    const path = join(folder, "settings.json");
    writeFileSync(path, content);
    const failure = await failureOf(["serve", "--config", path]);
    expect(failure.text).toContain(text);
    expect(failure.code).toBe(2);
  });

  it("refuses a folder as a file", async () => {
    expect((await failureOf(["serve", "--config", folder])).text).toContain("it is a directory");
  });
});
