import { type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { createEventsClient, createQueueApiClient, type TokenEntry } from "../../adapters/grpc/index.js";
import { TokenBucket } from "../../adapters/grpc/limits/token-bucket.js";
import { ack, post, subscribe, until } from "../adapters/grpc/rig.js";
import { GuardedRig, HealthyClient } from "./attack.js";

const outcomeOf = (work: Promise<void>): Promise<ServiceError | undefined> =>
  work.then(
    () => undefined,
    (error: ServiceError) => error,
  );

describe("a bucket of tokens", () => {
  it("gives a burst, then as many as come in, and says how long to wait", () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 3 }, 0);
    expect([bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([0, 0, 0]);
    expect(bucket.take(0)).toBe(100);
    expect(bucket.take(60)).toBe(40);
    expect(bucket.take(100)).toBe(0);
    expect(bucket.isFull(399)).toBe(false);
    expect(bucket.isFull(400)).toBe(true);
    // More than there ever is at once: what is owed is waited for.
    expect(bucket.take(400, 8)).toBe(0);
    expect(bucket.take(400)).toBe(600);
    // Set back, time does not give anything.
    expect(bucket.take(0)).toBe(600);
  });
});

describe("calls a second", () => {
  it("beyond the burst are refused with the time to wait, after which there is room", async () => {
    await using rig = await GuardedRig.start({ maxCallsPerSecond: 10, callBurst: 5 });
    const client = rig.client();
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => outcomeOf(ack(client, "none"))));
    const refused = outcomes.filter((error) => error !== undefined);
    expect(outcomes.length - refused.length).toBeGreaterThanOrEqual(5);
    expect(refused.length).toBeGreaterThan(10);
    const [first] = refused;
    expect(first).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringMatching(/^at most 10 calls a second are allowed; try again in \d+ ms$/),
    });
    expect(first?.metadata.getMap()).toMatchObject({ "fairlead-code": "REJECTED", "retry-after": "1" });
    const waitMs = Number(first?.metadata.get("grpc-retry-pushback-ms")[0]);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(100);
    await new Promise((resolve) => setTimeout(resolve, waitMs + 120));
    await ack(client, "none");
    // One line for all of them: the text that observers get is always the same.
    expect(rig.refused.map(({ reason }) => reason)).toEqual(["at most 10 calls a second are allowed"]);
  });

  it("are counted for each name apart, and a subscription is none of them", async () => {
    const tokens = { entries: { one: entryOf("token-of-one-0123"), two: entryOf("token-of-two-0123") } };
    await using rig = await GuardedRig.start({ maxCallsPerSecond: 1, tokens });
    const one = createQueueApiClient(rig.address, { token: "token-of-one-0123" });
    const two = createQueueApiClient(rig.address, { token: "token-of-two-0123" });
    try {
      for (const name of ["a", "b", "c"]) await subscribe(one, name);
      await ack(one, "none");
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(ack(one, "none"))));
      // Not all: a second may go by meanwhile, which lets one more in.
      expect(outcomes.map((error) => error?.code)).toContain(status.RESOURCE_EXHAUSTED);
      await ack(two, "none");
      expect(rig.refused).toMatchObject([{ client: "one", what: "queue.QueueApi/Ack" }]);
    } finally {
      one.close();
      two.close();
    }
  });
});

describe("posts a second", () => {
  it("one by one are refused beyond the burst; other calls are not", async () => {
    await using rig = await GuardedRig.start({ maxPostsPerSecond: 10, postBurst: 2 });
    const client = rig.client();
    const posts = Array.from({ length: 40 }, () => outcomeOf(post(client, { clientId: "a", eventJson: "{}" })));
    const refused = (await Promise.all(posts)).filter((error) => error !== undefined);
    expect(refused.length).toBeGreaterThan(20);
    expect(refused[0]).toMatchObject({ details: expect.stringMatching(/^at most 10 posts a second are allowed/) });
    for (let index = 0; index < 5; index += 1) await ack(client, "none");
  });

  it("on a stream are slowed down, none is refused or lost, and other clients do not wait", async () => {
    await using rig = await GuardedRig.start({ maxPostsPerSecond: 200, postBurst: 20 });
    const healthy = new HealthyClient(rig.client());
    await using client = createEventsClient({ server: rig.address, clientId: "many" });
    const startedAt = performance.now();
    const result = await client.postMany(Array.from({ length: 200 }, (_, index) => ({ body: { index } })));
    const ms = performance.now() - startedAt;
    await healthy.stop();
    expect(result.filter(({ error }) => error === undefined)).toHaveLength(200);
    expect(ms).toBeGreaterThan(800);
    expect(healthy.worstMs).toBeLessThan(800);
    expect(healthy.failures).toEqual([]);
  });

  it("on streams of one client share its rate", async () => {
    await using rig = await GuardedRig.start({ maxPostsPerSecond: 200, postBurst: 20 });
    const startedAt = performance.now();
    const results = await Promise.all(
      ["a", "b", "c"].map(async (clientId) => {
        await using client = createEventsClient({ server: rig.address, clientId });
        return await client.postMany(Array.from({ length: 60 }, (_, index) => ({ body: { index } })));
      }),
    );
    expect(results.flat().filter(({ error }) => error === undefined)).toHaveLength(180);
    expect(performance.now() - startedAt).toBeGreaterThan(700);
  });

  it("end at once with the server: what waits for its time is told, not kept", async () => {
    const rig = await GuardedRig.start({ maxPostsPerSecond: 1, postBurst: 1 });
    const client = createEventsClient({ server: rig.address, clientId: "many", postTimeoutMs: 500 });
    const work = client.postMany(Array.from({ length: 50 }, () => ({ body: {} })));
    let isSettled = false;
    void work.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await rig[Symbol.asyncDispose]();
    await until(() => isSettled, "the end of the posts");
    await client.close();
  });
});

function entryOf(token: string): TokenEntry {
  return { token, post: "*", subscribe: "*" };
}
