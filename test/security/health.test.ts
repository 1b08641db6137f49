import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type ClientReadableStream, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HealthClient, type HealthReply } from "../adapters/grpc/health-client.js";
import { until } from "../adapters/grpc/rig.js";
import { postOutcome, SecureServer } from "./secure-server.js";

const TOKEN = "first-token-0123456789";

/** What a collection of the garbage leaves of this process's heap. */
function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

describe("health, for somebody without credentials", () => {
  let server: SecureServer;
  let client: HealthClient;
  beforeEach(async () => {
    server = await SecureServer.start({ tokens: { entries: { one: { token: TOKEN, post: "*" } } } });
    client = new HealthClient(server.address);
  });
  afterEach(async () => {
    client.close();
    await server.close();
  });
  const check = (name: string, by = client): Promise<string | ServiceError> =>
    by.check(name).catch((error: ServiceError) => error);

  it("tells of the names that there are, and follows them", async () => {
    expect(await check("")).toBe("SERVING");
    expect(await check("fairlead.v1.Events")).toBe("SERVING");
    const seen = client.statuses("queue.QueueApi");
    await until(() => seen.length === 1);
    const closing = server.gateway.close({ drainMs: 100 });
    await until(() => seen.length === 2);
    expect(seen).toEqual(["SERVING", "NOT_SERVING"]);
    await closing;
  });

  it("does not repeat a name that is not ours at its full length", async () => {
    expect(await check("other")).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining('"other"') });
    for (const name of ["n".repeat(900), "n".repeat(300_000), "é\n".repeat(400)]) {
      const outcome = (await check(name)) as ServiceError;
      expect(outcome.code).toBe(status.NOT_FOUND);
      expect(outcome.details.length).toBeLessThan(500);
    }
  });

  it("keeps nothing of a watcher, neither while it is there nor when it is gone", async () => {
    const begin = async (name: string): Promise<ClientReadableStream<HealthReply>> => {
      const stream = client.watch(name);
      const reply = await new Promise<HealthReply>((resolve, reject) => {
        stream.once("data", resolve);
        stream.once("error", reject);
      });
      expect(reply).toMatchObject({ status: "SERVICE_UNKNOWN" });
      return stream;
    };
    (await begin("first")).cancel();
    const before = usedBytes();
    const open: ClientReadableStream<HealthReply>[] = [];
    for (let index = 0; index < 40; index += 1) {
      const stream = await begin(`${index}-${"ä".repeat(1_500_000)}`);
      if (index < 20) open.push(stream);
      else stream.cancel();
    }
    expect(usedBytes() - before).toBeLessThan(15_000_000);
    for (const stream of open) stream.cancel();
  });

  it("has a rate of its own, which it cannot take from the other calls of its address", async () => {
    const limited = await SecureServer.start({ maxCallsPerSecond: 1, callBurst: 5 });
    const other = new HealthClient(limited.address);
    try {
      const outcomes = await Promise.all(Array.from({ length: 30 }, () => check("", other)));
      const refused = outcomes.filter(
        (outcome) => typeof outcome !== "string" && outcome.code === status.RESOURCE_EXHAUSTED,
      );
      expect(refused.length).toBeGreaterThan(15);
      expect(await postOutcome(limited.client())).toMatchObject({ code: status.OK });
    } finally {
      other.close();
      await limited.close();
    }
  });
});
