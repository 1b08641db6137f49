import { afterEach, describe, expect, it } from "vitest";
import type { EventsClientOptions, ReceivedEvent } from "../../../adapters/grpc/index.js";
import { createEventsClient } from "../../../adapters/grpc/index.js";
import { MessagingError } from "../../../src/errors/messaging-error.js";
import { startTcpProxy } from "../../../tools/proxy/tcp-proxy.js";
import { EventsClients } from "./events-client-rig.js";
import { GrpcRig, type RigOptions, until } from "./rig.js";

describe("an events client at a server of ours", () => {
  let rig: GrpcRig;
  let clients: EventsClients;

  const start = async (options: RigOptions = {}): Promise<void> => {
    clients = new EventsClients();
    rig = await GrpcRig.start(options);
  };
  afterEach(async () => {
    await clients.close();
    await rig.close();
  });

  it("carries JSON, bytes, keys, token and date, and acknowledges when the handler has returned", async () => {
    await start();
    const client = clients.create({ server: rig.address, clientId: "both" });
    const received: ReceivedEvent[] = [];
    await client.subscribe((event) => received.push(event));
    expect(client.state).toBe("connected");
    const effectiveDate = new Date(Date.now() - 60_000);
    const searchKey1 = -(2n ** 63n);
    const searchKey2 = 2n ** 63n - 1n;
    await client.post({ an: "event" }, { effectiveDate, searchKey1, searchKey2, token: "mine" });
    await client.post(new Uint8Array([0x7b, 0xff, 0x00]));
    await until(() => rig.events.counts.acked === 2);
    const [json, bytes] = received;
    expect(json?.json()).toEqual({ an: "event" });
    expect(json).toMatchObject({ clientId: "both", searchKey1, searchKey2, token: "mine", effectiveDate, attempt: 1 });
    expect([...(bytes?.body ?? [])]).toEqual([0x7b, 0xff, 0x00]);
    expect(bytes?.token).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("refuses when the handler throws, tells of it, and the event comes again", async () => {
    await start({ events: { retryScheduleMs: [10] } });
    const client = clients.create({ server: rig.address });
    const attempts: (number | undefined)[] = [];
    await client.subscribe(({ attempt }) => {
      attempts.push(attempt);
      if (attempts.length === 1) throw new Error("not today");
    });
    await client.post("x");
    await until(() => rig.events.counts.acked === 1);
    expect(attempts).toEqual([1, 2]);
    expect(clients.notices.find(({ type }) => type === "handler-failed")).toMatchObject({
      error: new Error("not today"),
    });
  });

  it.each([1, 3])("runs %i handlers at once, and holds no more events than that", async (concurrency) => {
    await start();
    const client = clients.create({ server: rig.address });
    let running = 0;
    let most = 0;
    let mostOutstanding = 0;
    let done = 0;
    const handler = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      mostOutstanding = Math.max(mostOutstanding, rig.events.counts.outstanding);
      await new Promise((resolve) => setTimeout(resolve, 3));
      running -= 1;
      done += 1;
    };
    await client.subscribe(handler, { concurrency });
    await Promise.all(Array.from({ length: 30 }, (_, index) => client.post({ index })));
    await until(() => done === 30);
    expect([most, mostOutstanding]).toEqual([concurrency, concurrency]);
  });

  it("stores a post once that is repeated under its id", async () => {
    await start();
    const client = clients.create({ server: rig.address });
    await client.post({ first: true }, { postId: "one" });
    await client.post({ first: true }, { postId: "one" });
    expect(rig.events.counts.posted).toBe(1);
  });

  it("comes back by itself after the link was cut, with handlers that go on and acks that arrive", async () => {
    await start();
    const proxy = await startTcpProxy(Number(rig.address.split(":")[1]));
    try {
      const client = clients.create({ server: `127.0.0.1:${proxy.port}`, clientId: "cut" });
      const signals: AbortSignal[] = [];
      let go = (): void => {};
      const held = new Promise<void>((resolve) => {
        go = resolve;
      });
      await client.subscribe(async ({ signal }) => {
        signals.push(signal);
        await held;
      });
      await client.post({});
      await until(() => signals.length === 1);
      proxy.cut();
      await until(() => signals[0]?.aborted === true);
      expect(client.state).toBe("disconnected");
      go();
      await until(() => client.state === "connected");
      await until(() => rig.events.counts.acked === 1);
      expect(clients.states.slice(-2)).toEqual(["disconnected", "connected"]);
    } finally {
      await proxy.stop();
    }
  });

  it("goes to the next server when one is gone, with posts and with the subscription", async () => {
    await start();
    const client = clients.create({ server: ["127.0.0.1:1", rig.address], clientId: "second" });
    let received = 0;
    await client.subscribe(() => {
      received += 1;
    });
    await client.post({});
    await until(() => received === 1);
  });

  it("notices a server that has fallen silent by its keepalive, and goes to the next one", async () => {
    await start();
    const proxy = await startTcpProxy(Number(rig.address.split(":")[1]));
    try {
      const server = [`127.0.0.1:${proxy.port}`, rig.address];
      const client = clients.create({ server, keepaliveTimeMs: 100, keepaliveTimeoutMs: 4_000 });
      let received = 0;
      await client.subscribe(() => {
        received += 1;
      });
      proxy.stall();
      await client.post({});
      await until(() => received === 1);
      expect(clients.states).toEqual(["connected", "disconnected", "connected"]);
      expect(clients.waits("post")).toHaveLength(1);
    } finally {
      await proxy.stop();
    }
  });

  it("close takes nothing more, lets the handler finish, acknowledges and leaves; the rest goes to others", async () => {
    await start();
    const client = clients.create({ server: rig.address, clientId: "leaving" });
    const begun: string[] = [];
    const subscription = await client.subscribe(async ({ token }) => {
      begun.push(token);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.post({}, { token: "last" });
    });
    await client.post({}, { token: "a" });
    await client.post({}, { token: "b" });
    await until(() => begun.length === 1);
    await client.close();
    expect([client.state, subscription.state, await subscription.closed, await client.closed]).toEqual([
      "closed",
      "closed",
      undefined,
      undefined,
    ]);
    expect(begun).toEqual(["a"]);
    expect(rig.events.counts).toMatchObject({ acked: 1, posted: 3, outstanding: 0 });
    await expect(client.post({})).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client.subscribe(() => {})).rejects.toMatchObject({ code: "CLOSED" });
  });

  it.each([
    ["ends soon: it is done, and the other goes on unharmed", true],
    ["goes on: both go to others, and no attempt is used up", false],
  ])("an event comes while a handler runs that was closed; the handler %s", async (_, endsSoon) => {
    // In the time of this test nothing comes back by a time-out.
    await start({ events: { ackTimeoutMs: 60_000 } });
    const leaving = clients.create({ server: rig.address, clientId: "leaving" });
    const begun: ReceivedEvent[] = [];
    let end = (): void => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const handler = async (event: ReceivedEvent): Promise<void> => {
      begun.push(event);
      await held;
    };
    await leaving.subscribe(handler, { concurrency: 3 });
    const client = clients.create({ server: rig.address, clientId: "other" });
    await client.post({}, { token: "a" });
    await until(() => begun.length === 1);
    const closing = leaving.close();
    await client.post({}, { token: "b" });
    await until(() => rig.events.counts.delivered === 2);
    if (endsSoon) end();
    const others: string[] = [];
    await client.subscribe(({ token, attempt }) => others.push(`${token}${attempt}`));
    await until(() => rig.events.counts.acked === 2);
    expect(others.sort()).toEqual(endsSoon ? ["b1"] : ["a1", "b1"]);
    expect([begun.length, begun[0]?.signal.aborted]).toEqual([1, !endsSoon]);
    expect(leaving.state).toBe(endsSoon ? "closed" : "connected");
    end();
    await closing;
    expect(rig.events.counts).toMatchObject({ nacked: 0, timedOut: 0, outstanding: 0 });
  });

  it.each(["its signal", "its subscription"])("close hurries an earlier close by %s", async (way) => {
    await start();
    const client = clients.create({ server: rig.address });
    const stop = new AbortController();
    let begun = 0;
    const handler = (): Promise<void> => {
      begun += 1;
      return new Promise(() => {});
    };
    const subscription = await client.subscribe(handler, { signal: stop.signal });
    await client.post({});
    await until(() => begun === 1);
    if (way === "its signal") stop.abort();
    else void subscription.close();
    const earlier = client.close();
    await client.close({ drainMs: 0 });
    await earlier;
    expect([client.state, await subscription.closed]).toEqual(["closed", undefined]);
  });

  it("has at most as many handlers as a server hands one subscriber", async () => {
    await start();
    const client = clients.create({ server: rig.address });
    for (const concurrency of [0, 1.5, 1_001]) {
      await expect(client.subscribe(() => {}, { concurrency })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    let running = 0;
    let end = (): void => {};
    const held = new Promise<void>((resolve) => {
      end = resolve;
    });
    const handler = (): Promise<void> => {
      running += 1;
      return held;
    };
    await client.subscribe(handler, { concurrency: 1_000 });
    await client.postMany(Array.from({ length: 1_000 }, (_, body) => ({ body })));
    await until(() => running === 1_000);
    end();
  });

  it("has one subscription at a time, and another after it", async () => {
    await start();
    const client = clients.create({ server: rig.address });
    let calls = 0;
    const first = await client.subscribe(() => {}, { onClosed: () => (calls += 1) });
    await expect(client.subscribe(() => {})).rejects.toMatchObject({ code: "ALREADY_EXISTS" });
    await Promise.all([first.close(), first.close()]);
    expect(calls).toBe(1);
    const stop = new AbortController();
    const second = await client.subscribe(() => {}, { signal: stop.signal });
    stop.abort();
    expect(await second.closed).toBeUndefined();
  });

  it("posts many on one stream, and tells of each what became of it", async () => {
    await start({ events: { maxEventBytes: 100 } });
    const client = clients.create({ server: rig.address });
    const bodyOf = (index: number): string => "x".repeat(index % 500 === 3 ? 200 : 10);
    const results = await client.postMany(Array.from({ length: 1_200 }, (_, index) => ({ body: bodyOf(index) })));
    const failed = results.flatMap(({ error }, index) => (error === undefined ? [] : [[index, error.code]]));
    expect(failed).toEqual([3, 503, 1_003].map((index) => [index, "TOO_LARGE"]));
    expect([results.length, rig.events.counts.posted]).toEqual([1_200, 1_197]);
    expect(await client.postMany([])).toEqual([]);
    const refused = client.postMany([{ body: 1 }, { body: 2, token: "é".repeat(200) }]);
    await expect(refused).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      message: expect.stringContaining("event 1"),
    });
  });

  it("posts many through a link that is cut, each stored once", async () => {
    await start();
    const proxy = await startTcpProxy(Number(rig.address.split(":")[1]));
    try {
      const client = clients.create({ server: `127.0.0.1:${proxy.port}` });
      const posting = client.postMany(Array.from({ length: 5_000 }, (_, index) => ({ body: { index } })));
      await until(() => rig.events.counts.posted > 100);
      proxy.cut();
      const results = await posting;
      expect(results.filter(({ error }) => error !== undefined)).toEqual([]);
      expect([results.length, rig.events.counts.posted]).toEqual([5_000, 5_000]);
      expect(clients.waits("post").length).toBeGreaterThan(0);
    } finally {
      await proxy.stop();
    }
  });

  it("refuses an event that is too large at once, and says so", async () => {
    await start({ events: { maxEventBytes: 100 } });
    const client = clients.create({ server: rig.address });
    await expect(client.post("x".repeat(200))).rejects.toMatchObject({ code: "TOO_LARGE" });
    expect(clients.waits("post")).toEqual([]);
  });

  it.each([
    ["a body without JSON", undefined, {}, "the body has no JSON"],
    ["a bigint in the body", { n: 1n }, {}, "the body has no JSON"],
    ["a key that is no bigint", {}, { searchKey1: 1 as unknown as bigint }, "searchKey1"],
    ["a key out of range", {}, { searchKey2: 2n ** 63n }, "searchKey2"],
    ["a date that is none", {}, { effectiveDate: new Date(Number.NaN) }, "effectiveDate"],
    ["a token too long", {}, { token: "é".repeat(129) }, "token"],
    ["a timeout that is none", {}, { timeoutMs: Number.NaN }, "timeoutMs"],
    ["a post id with a line end", {}, { postId: "a\nb" }, "postId"],
  ])("refuses %s with one error that names it", async (_, body, options, text) => {
    await start();
    const refused = clients.create({ server: rig.address }).post(body, options);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_ARGUMENT", message: expect.stringContaining(text) });
  });
});

describe("createEventsClient", () => {
  it.each<[string, unknown]>([
    ["the options must be { server, … }", undefined],
    ["server must be host:port", {}],
    ["server must be host:port", { server: [] }],
    ["server must be host:port", { server: "http://x:1" }],
    ["server must be host:port", { server: ["a:1", "b:99999"] }],
    ["unknown option servers", { server: "a:1", servers: [] }],
    ["unknown tls option cert", { server: "a:1", tls: { cert: "" } }],
    ["tls.certificate and tls.key belong together", { server: "a:1", tls: { certificate: "x" } }],
    ["token would travel in plaintext", { server: "example.org:1", token: "secret" }],
    ["token must be", { server: "127.0.0.1:1", token: "se cret" }],
    ["postTimeoutMs must be", { server: "a:1", postTimeoutMs: 0 }],
    ["clientId must be", { server: "a:1", clientId: "é".repeat(129) }],
    ["tls cannot be used", { server: "a:1", tls: { certificate: "no", key: "no" } }],
  ])("refuses with %s", (text, options) => {
    const create = (): unknown => createEventsClient(options as EventsClientOptions);
    expect(create).toThrow(MessagingError);
    expect(create).toThrow(text);
    expect(create).not.toThrow("secret");
  });
});
