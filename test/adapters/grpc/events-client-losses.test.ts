import { readFileSync } from "node:fs";
import { Metadata, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EventsClientOptions } from "../../../adapters/grpc/index.js";
import { Stopwatch } from "../../../src/contract/stopwatch.js";
import { VirtualClock } from "../../support/virtual-clock.js";
import { EventsClients, WilfulServer } from "./events-client-rig.js";
import { until } from "./rig.js";

const HOUR_MS = 3_600_000;
const fixed = (file: string): Buffer => readFileSync(new URL(`tls/${file}`, import.meta.url));
const failure = (code: status, ownCode?: string) => {
  const metadata = new Metadata();
  if (ownCode !== undefined) metadata.set("fairlead-code", ownCode);
  return { code, details: "as I like", metadata };
};

describe("an events client at a server that does as it likes", () => {
  let server: WilfulServer;
  let clients: EventsClients;
  let clock: VirtualClock;
  let uuids: number;
  /** Half of each back-off: the shortest there is. */
  const uuid = (): string => {
    uuids += 1;
    return `uuid-${uuids}`;
  };
  const random = { fraction: (): number => 0, uuid };
  const timed = (options: Partial<EventsClientOptions> = {}): EventsClientOptions => ({
    server: server.address,
    firstBackoffMs: 1_000,
    maxBackoffMs: 30_000,
    clock,
    random,
    ...options,
  });
  /** Lets time pass, a second after the other, until it is so. */
  const passUntil = async (condition: () => boolean, most = 100): Promise<void> => {
    for (let second = 0; second < most && !condition(); second += 1) {
      await clock.pass(1_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(condition);
  };

  beforeEach(async () => {
    server = await WilfulServer.start();
    clients = new EventsClients();
    clock = new VirtualClock();
    uuids = 0;
  });
  afterEach(async () => {
    server.stop();
    await clients.close();
  });

  it("posts again under the same id, with a back-off that doubles up to its limit", async () => {
    let failures = 8;
    server.onPost = () => (failures-- > 0 ? failure(status.UNAVAILABLE) : undefined);
    const posting = clients.create(timed({ postTimeoutMs: HOUR_MS })).post({});
    await passUntil(() => server.posts.length === 9, 200);
    await posting;
    expect(clients.waits("post")).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect(new Set(server.posts.map(({ metadata }) => metadata.get("fairlead-post-id").join()))).toEqual(
      new Set(["uuid-2"]),
    );
    expect(clock.pending).toBe(0);
  });

  it.each([
    ["INVALID_ARGUMENT", failure(status.INVALID_ARGUMENT)],
    ["UNSUPPORTED", failure(status.UNIMPLEMENTED)],
    ["PERMISSION_DENIED", failure(status.PERMISSION_DENIED)],
    ["UNAUTHENTICATED", failure(status.UNAUTHENTICATED)],
    ["INVALID_ARGUMENT", failure(status.OUT_OF_RANGE)],
    ["TOO_LARGE", failure(status.RESOURCE_EXHAUSTED, "TOO_LARGE")],
  ])("does not post again after %s", async (code, refusal) => {
    server.onPost = () => refusal;
    await expect(clients.create(timed()).post({})).rejects.toMatchObject({ code });
    expect([server.posts.length, clients.waits("post"), clock.pending]).toEqual([1, [], 0]);
  });

  it.each([
    ["REJECTED", failure(status.RESOURCE_EXHAUSTED)],
    ["UNKNOWN", failure(status.UNKNOWN)],
    ["UNAVAILABLE", failure(status.CANCELLED)],
  ])("gives a post up after postTimeoutMs with %s, and says that its outcome is unknown", async (code, refusal) => {
    server.onPost = () => refusal;
    const posting = clients.create(timed({ postTimeoutMs: 10_000 })).post({});
    const outcome = expect(posting).rejects.toMatchObject({
      code,
      message: expect.stringContaining("the outcome may be unknown"),
    });
    await passUntil(() => server.posts.length === 5);
    await outcome;
    expect(clock.pending).toBe(0);
  });

  it("gives up a post that is never answered", async () => {
    server.onPost = () => "never";
    const posting = clients.create(timed({ postTimeoutMs: 10_000 })).post({});
    const outcome = expect(posting).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await until(() => server.posts.length === 1);
    await clock.pass(10_000);
    await outcome;
  });

  it.each(["waits", "is not answered"])("ends a post by its signal while it %s", async (what) => {
    server.onPost = () => (what === "waits" ? failure(status.UNAVAILABLE) : "never");
    const stop = new AbortController();
    const posting = clients.create(timed()).post({}, { signal: stop.signal });
    await until(() => server.posts.length === 1 && (what !== "waits" || clients.waits("post").length === 1));
    stop.abort("enough");
    await expect(posting).rejects.toMatchObject({ code: "ABORTED", cause: "enough" });
    expect(clock.pending).toBe(0);
  });

  it("ends posts with CLOSED when it is closed", async () => {
    server.onPost = () => failure(status.UNAVAILABLE);
    const client = clients.create(timed());
    const outcome = expect(client.post({})).rejects.toMatchObject({ code: "CLOSED" });
    await until(() => clients.waits("post").length === 1);
    await client.close();
    await outcome;
  });

  it("posts many to a server that has QueueApi only, tries again what failed, and tells the rest", async () => {
    let posts = 0;
    server.onPost = () => {
      posts += 1;
      if (posts === 2) return failure(status.INVALID_ARGUMENT);
      return posts === 3 ? failure(status.UNAVAILABLE) : undefined;
    };
    const client = clients.create({ server: server.address });
    const results = await client.postMany([{ body: 0 }, { body: 1 }, { body: 2 }, { body: 3, postId: "own" }]);
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, "INVALID_ARGUMENT", undefined, undefined]);
    expect([results[3]?.postId, server.posts.length]).toEqual(["own", 5]);
    const stop = new AbortController();
    stop.abort();
    const [aborted] = await client.postMany([{ body: 0 }], { signal: stop.signal });
    expect(aborted?.error?.code).toBe("ABORTED");
  });

  it("acknowledges again until the server has it, and says no word about it otherwise", async () => {
    let failures = 3;
    server.onAck = () => (failures-- > 0 ? failure(status.UNAVAILABLE) : undefined);
    const client = clients.create(timed());
    await client.subscribe(() => {});
    server.streams[0]?.write({ eventJson: "{}", userToken: "t" });
    await passUntil(() => server.acks.length === 4);
    expect(server.acks).toEqual(new Array(4).fill({ userToken: "t", success: true }));
    expect(clients.waits("ack")).toEqual([500, 1_000, 2_000]);
  });

  it("does not fall into a hot loop when each stream is accepted and ended at once", async () => {
    server.onSubscribe = (call) => {
      call.sendMetadata(new Metadata());
      setTimeout(() => call.end(), 2);
    };
    const client = clients.create(timed());
    await client.subscribe(() => {});
    await until(() => clients.waits("subscribe").length === 1);
    await passUntil(() => server.streams.length === 8);
    expect(clients.waits("subscribe").slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
  });

  it("counts anew after a stream that lived", async () => {
    const client = clients.create(timed({ livesAfterMs: 5_000 }));
    await client.subscribe(() => {});
    const cut = async (afterMs: number): Promise<void> => {
      await until(() => client.state === "connected");
      await clock.pass(afterMs);
      server.streams.at(-1)?.emit("error", failure(status.UNAVAILABLE));
      const { length } = server.streams;
      await until(() => client.state === "disconnected");
      await passUntil(() => server.streams.length > length);
    };
    for (const afterMs of [0, 3_000, 5_000, 0]) await cut(afterMs);
    expect(clients.waits("subscribe")).toEqual([500, 1_000, 500, 1_000]);
  });

  it("gives the subscription up after resubscribeMs by the clock, with the cause, exactly once", async () => {
    const client = clients.create(timed({ maxBackoffMs: HOUR_MS }));
    const causes: (Error | undefined)[] = [];
    const subscription = await client.subscribe(() => {}, { onClosed: (cause) => causes.push(cause) });
    await clock.pass(10_000);
    server.onSubscribe = (call) => call.emit("error", failure(status.UNAVAILABLE));
    const lostAt = clock.now();
    server.streams[0]?.emit("error", failure(status.UNAVAILABLE));
    await until(() => client.state === "disconnected");
    await clock.pass(24 * HOUR_MS - 1);
    expect(client.state).toBe("disconnected");
    await clock.pass(1);
    const cause = await subscription.closed;
    expect(cause).toMatchObject({ code: "UNAVAILABLE", message: expect.stringContaining("86400000 ms") });
    expect([clock.now() - lostAt, causes]).toEqual([24 * HOUR_MS, [cause]]);
    await Promise.all([subscription.close(), client.close()]);
    expect(causes).toHaveLength(1);
    expect(clients.states).toEqual(["connected", "disconnected", "closed"]);
    expect(clock.pending).toBe(0);
  });

  it("ends the subscription at once with what cannot heal", async () => {
    const client = clients.create(timed());
    const subscription = await client.subscribe(() => {});
    server.streams[0]?.emit("error", failure(status.PERMISSION_DENIED));
    expect(await subscription.closed).toMatchObject({ code: "PERMISSION_DENIED" });
    server.onSubscribe = (call) => call.emit("error", failure(status.UNAUTHENTICATED));
    await expect(client.subscribe(() => {})).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("says when no server took the first subscription in time, or it was aborted", async () => {
    const client = clients.create(timed({ server: "127.0.0.1:1", connectTimeoutMs: 5_000 }));
    const outcome = expect(client.subscribe(() => {})).rejects.toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("5000 ms"),
    });
    await until(() => clients.waits("subscribe").length === 1);
    await clock.pass(5_000);
    await outcome;
    const stop = new AbortController();
    const aborted = expect(client.subscribe(() => {}, { signal: stop.signal })).rejects.toMatchObject({
      code: "ABORTED",
    });
    stop.abort();
    await aborted;
    expect([client.state, clients.states]).toEqual(["closed", []]);
  });

  it("takes a server that sends no headers before its first event for connected", async () => {
    server.onSubscribe = () => {};
    const client = clients.create(timed());
    let received = 0;
    const subscribing = client.subscribe(() => {
      received += 1;
    });
    await until(() => server.streams.length === 1);
    await clock.pass(2_000);
    await subscribing;
    server.streams[0]?.write({ eventJson: "{}", userToken: "t" });
    await until(() => received === 1);
  });

  it.each([
    ["connected", () => {}],
    ["connected, with a server that does not answer Close", () => (server.onClose = () => {})],
    ["disconnected", () => server.stop()],
  ])("closes promptly while %s, and a second close is the same", async (_, arrange) => {
    const client = clients.create({ server: server.address, firstBackoffMs: 60_000, maxBackoffMs: 60_000 });
    const subscription = await client.subscribe(() => {});
    arrange();
    await until(() => client.state === "connected" || clients.waits("subscribe").length > 0);
    const watch = new Stopwatch();
    await Promise.all([client.close(), client.close(), subscription.close()]);
    expect(watch.undisturbedMs).toBeLessThan(1_500);
    expect(await subscription.closed).toBeUndefined();
    expect(client.state).toBe("closed");
  });

  it("closes promptly with a handler that hangs, whose signal aborts", async () => {
    const client = clients.create({ server: server.address });
    let seen: AbortSignal | undefined;
    await client.subscribe(({ signal }) => {
      seen = signal;
      return new Promise(() => {});
    });
    server.streams[0]?.write({ eventJson: "{}", userToken: "t" });
    await until(() => seen !== undefined);
    await client.close({ drainMs: 20 });
    expect([seen?.aborted, client.state, server.acks]).toEqual([true, "closed", []]);
  });

  it("survives a server that is away, and one that comes back at the same address", async () => {
    const client = clients.create({ server: server.address });
    let received = 0;
    await client.subscribe(() => {
      received += 1;
    });
    const { port } = server;
    server.stop();
    const posting = client.post({});
    await until(() => clients.waits("post").length >= 2 && clients.waits("subscribe").length >= 2);
    server = await WilfulServer.start(port);
    await posting;
    await until(() => client.state === "connected");
    server.streams.at(-1)?.write({ eventJson: "{}", userToken: "t" });
    await until(() => received === 1);
  });

  it("holds back what comes while its handlers are busy", async () => {
    const client = clients.create({ server: server.address });
    let running = 0;
    let most = 0;
    await client.subscribe(
      async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 2));
        running -= 1;
      },
      { concurrency: 2 },
    );
    for (let index = 0; index < 100; index += 1) {
      server.streams[0]?.write({ eventJson: "{}", userToken: String(index) });
    }
    await until(() => server.acks.length === 100);
    expect(most).toBe(2);
  });

  it("speaks TLS, with a token in each call, to a server of the certificate that it trusts", async () => {
    const pair = { private_key: fixed("server.key"), cert_chain: fixed("server.pem") };
    const secure = await WilfulServer.start(0, ServerCredentials.createSsl(fixed("ca.pem"), [pair], true));
    try {
      let tokens = 0;
      const token = (): string => {
        tokens += 1;
        return `token-${tokens}`;
      };
      const tls = { ca: fixed("ca.pem"), certificate: fixed("client.pem"), key: fixed("client.key") };
      const options = { server: secure.address, token };
      const client = clients.create({ ...options, tls: { ...tls, serverName: "events.test" } });
      await client.subscribe(() => {});
      await client.post({});
      expect(secure.streams[0]?.metadata.get("authorization")).toEqual([expect.stringMatching(/^Bearer token-\d$/)]);
      expect(secure.posts[0]?.metadata.get("authorization")).toEqual([expect.stringMatching(/^Bearer token-\d$/)]);
      const wary = clients.create({ ...options, tls: { ...tls, serverName: "other.test" }, postTimeoutMs: 200 });
      await expect(wary.post({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
      const strange = clients.create({ ...options, tls: { serverName: "events.test" }, postTimeoutMs: 200 });
      await expect(strange.post({})).rejects.toMatchObject({ code: "UNAVAILABLE" });
      expect(secure.posts).toHaveLength(1);
    } finally {
      secure.stop();
    }
  });

  it("fails what needs a token that cannot be had", async () => {
    const token = (): never => {
      throw new Error("the vault is closed");
    };
    const client = clients.create({ server: server.address, token });
    const refusal = { code: "UNAUTHENTICATED", message: expect.stringContaining("the vault is closed") };
    await expect(client.post({})).rejects.toMatchObject(refusal);
    await expect(client.subscribe(() => {})).rejects.toMatchObject(refusal);
  });
});
