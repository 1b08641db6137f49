import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveGrpcOptions } from "../../../adapters/grpc/index.js";
import { memoryDriver } from "../../../adapters/memory/index.js";
import { BadInput } from "../../../src/cli/failure.js";
import { type ServeFlags, settingsOf } from "../../../src/cli/serve-run.js";
import { type ServeKey, serveSchema } from "../../../src/cli/serve-schema.js";
import { resolveEventOptions } from "../../../src/events/index.js";

const folder = mkdtempSync(join(tmpdir(), "fairlead-settings-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(value: unknown): string {
  const path = join(folder, "settings.json");
  writeFileSync(path, JSON.stringify(value));
  return path;
}

function faultOf(flags: ServeFlags, env: NodeJS.ProcessEnv = {}): string {
  try {
    settingsOf(flags, env);
  } catch (error) {
    if (error instanceof BadInput) return error.message;
    throw error;
  }
  throw new Error("no fault");
}

describe("settingsOf", () => {
  it("has the documented defaults, and leaves the other numbers to the parts", () => {
    expect(settingsOf({}, {})).toEqual({
      broker: "sqlite:./fairlead-data/events.db",
      listen: "127.0.0.1:10001",
      sink: [],
      remoteSinks: ["*"],
      drainMs: 30_000,
      connectTimeoutMs: 10_000,
      logLevel: "info",
      logFormat: "text",
    });
    expect(Object.isFrozen(settingsOf({}, {}))).toBe(true);
  });

  it("takes each key from the strongest source that has it", () => {
    const config = fileOf({ broker: "amqp://file", listen: "127.0.0.1:3", queue: "from-file", drainMs: 1 });
    const env = { FAIRLEAD_BROKER: "amqp://env", FAIRLEAD_LISTEN: "127.0.0.1:2" };
    expect(settingsOf({ config, broker: "amqp://flag" }, env)).toMatchObject({
      broker: "amqp://flag",
      listen: "127.0.0.1:2",
      queue: "from-file",
      drainMs: 1,
      logFormat: "text",
    });
  });

  it("takes one sink or many, from flags and from the file", () => {
    expect(settingsOf({ sink: ["a.mjs", "b.mjs"], remoteSinks: ["x"] }, {})).toMatchObject({
      sink: ["a.mjs", "b.mjs"],
      remoteSinks: ["x"],
    });
    expect(settingsOf({ config: fileOf({ sink: "c.mjs", remoteSinks: [] }) }, {})).toMatchObject({
      sink: ["c.mjs"],
      remoteSinks: [],
    });
  });

  it("reads a schedule as milliseconds", () => {
    expect(settingsOf({ retrySchedule: ["500ms", "1m", "2d"] }, {}).retrySchedule).toEqual([500, 60_000, 172_800_000]);
    expect(settingsOf({ config: fileOf({ retrySchedule: [] }) }, {}).retrySchedule).toEqual([]);
  });

  it("names every fault with where it came from, and every unknown key", () => {
    const config = fileOf({ brokr: "x", maxConnections: 0, retrySchedule: ["1m", 5], queue: "", constructor: 1 });
    const text = faultOf({ config, listen: "nowhere", queueType: "fast" }, { FAIRLEAD_BROKER: "ftp://h" });
    expect(text.split("; ").map((fault) => fault.split(": ")[0])).toEqual(
      expect.arrayContaining([
        "--listen",
        "--queue-type",
        "FAIRLEAD_BROKER",
        `maxConnections in ${config}`,
        `retrySchedule in ${config}`,
        `queue in ${config}`,
        `brokr in ${config}`,
        `constructor in ${config}`,
      ]),
    );
  });

  it("refuses what the parts would refuse, so that the fault says where it came from", () => {
    const { capabilities } = memoryDriver();
    const accepts = (resolve: () => unknown): boolean => {
      try {
        resolve();
        return true;
      } catch {
        return false;
      }
    };
    const byEvents = (key: string, value: number): boolean =>
      accepts(() => resolveEventOptions({ [key]: value }, { ...capabilities, maxMessageBytes: 134_217_728 }));
    const byGrpc = (key: string, value: number): boolean => accepts(() => resolveGrpcOptions({ [key]: value }));
    const bySettings = (key: string, value: number): boolean => accepts(() => settingsOf({ [key]: value }, {}));
    const limits: readonly [ServeKey, typeof byEvents, number, number][] = [
      ["ackTimeoutMs", byEvents, 1, 86_400_000],
      ["maxEventBytes", byEvents, 1, 134_217_728],
      ["creditPerSubscriber", byEvents, 1, 1_000],
      ["maxConnectionIdleMs", byGrpc, 100, 86_400_000],
      ["maxConnectionAgeMs", byGrpc, 100, 86_400_000],
      ["maxConnectionAgeGraceMs", byGrpc, 0, 86_400_000],
      ["lossesPerStep", byEvents, 1, 1_000],
      ["subscribeIntervalMs", byEvents, 0, 86_400_000],
      ["ackForwardIntervalMs", byEvents, 1, 86_400_000],
      ["ackForwardTimeoutMs", byEvents, 1, 86_400_000],
      ["closeForwardTimeoutMs", byEvents, 1, 86_400_000],
      ["postIdMemoryMs", byEvents, 1, 86_400_000],
      ["doneMemoryMs", byEvents, 1, 86_400_000],
      ["postTimeoutMs", byEvents, 1, 86_400_000],
      ["settleTimeoutMs", byEvents, 1, 86_400_000],
      ["endTimeoutMs", byEvents, 1, 86_400_000],
      ["keepaliveTimeMs", byGrpc, 100, 86_400_000],
      ["keepaliveTimeoutMs", byGrpc, 100, 86_400_000],
      ["maxReceiveBytes", byGrpc, 1_024, 1_073_741_824],
      ["maxStreamsPerConnection", byGrpc, 1, 1_000_000],
      ["maxConnections", byGrpc, 1, 1_000_000],
      ["refusalDelayMs", byGrpc, 0, 86_400_000],
      ["shutdownGraceMs", byGrpc, 0, 86_400_000],
    ];
    for (const [key, byPart, least, most] of limits) {
      for (const value of [least - 1, least, most, most + 1, 1_024.5]) {
        expect([key, value, bySettings(key, value)]).toEqual([key, value, byPart(key, value)]);
      }
    }
  });

  it("has every number of the event service and of the gRPC adapter as a key", () => {
    const keys = new Set(Object.keys(serveSchema.shape));
    const ofEvents = Object.keys(resolveEventOptions({}, memoryDriver().capabilities));
    const ofGrpc = Object.keys(resolveGrpcOptions({}));
    const missing = [...ofEvents, ...ofGrpc].filter((key) => !keys.has(key));
    expect(missing).toEqual(["retryScheduleMs", "security"]);
    expect(keys).toContain("retrySchedule");
    for (const key of ["tlsCert", "tlsKey", "tlsClientCa", "tlsClientCrl", "tokensFile", "tokens", "insecure"])
      expect(keys).toContain(key);
  });
});
