import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { Client, credentials, Metadata, status } from "@grpc/grpc-js";
import { afterAll, describe, expect, it } from "vitest";
import {
  createEventsClient,
  createInspectionClient,
  createSinkClient,
  type TokenEntries,
} from "../../adapters/grpc/index.js";
import { Stopwatch } from "../../src/contract/stopwatch.js";
import { callOne, sinkOf } from "../../src/index.js";
import { OriginalClient, type WireEvent } from "../adapters/grpc/original-client.js";
import { post, subscribe, until } from "../adapters/grpc/rig.js";
import { AnyRpcClient } from "./every-rpc.js";
import { certificate, postOutcome, SERVER_TLS, SecureServer } from "./secure-server.js";
import { TokenFile } from "./token-file.js";

const FIRST = "first-token-0123456789";
const SECOND = "second-token-0123456789";
const ALL = { post: "*", subscribe: "*", request: "*", admin: "*" } as const;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const echo = sinkOf(async function* (request) {
  yield { body: request.body };
});

describe("bearer tokens of the gRPC server", () => {
  const closing: (() => unknown)[] = [];
  afterAll(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const start = async (options: Parameters<typeof SecureServer.start>[0]): Promise<SecureServer> => {
    const server = await SecureServer.start(options);
    closing.push(() => server.close());
    return server;
  };
  const tokenFile = (entries: TokenEntries): TokenFile => {
    const file = new TokenFile(entries);
    closing.push(() => file.remove());
    return file;
  };

  it("let in who has one, given as text, as its hash, or in a list", async () => {
    const entries: TokenEntries = {
      plain: { token: FIRST, post: "*" },
      hashed: { tokenSha256: sha256(SECOND).toUpperCase(), post: "*" },
      several: { token: ["third-token-0123456789", "fourth-token-0123456789"], post: "*" },
    };
    const server = await start({ tokens: { entries: JSON.stringify(entries) } });
    const codeOf = async (token: string): Promise<number> => (await postOutcome(server.client({ token }))).code;
    const known = [FIRST, SECOND, "third-token-0123456789", "fourth-token-0123456789"];
    expect(await Promise.all(known.map(codeOf))).toEqual(known.map(() => status.OK));
    const unknown = [sha256(SECOND), FIRST.slice(0, -1), `${FIRST}x`, "Bearer"];
    expect(await Promise.all(unknown.map(codeOf))).toEqual(unknown.map(() => status.UNAUTHENTICATED));
    expect(await postOutcome(server.client())).toMatchObject({
      code: status.UNAUTHENTICATED,
      details: expect.stringContaining("there is no bearer token"),
    });
  });

  it("are not needed for health, but for reflection", async () => {
    const server = await start({ tokens: { entries: { one: { token: FIRST } } } });
    const client = new Client(server.address, credentials.createInsecure());
    closing.push(() => client.close());
    const answer = await new Promise<Buffer | undefined>((resolve, reject) => {
      const raw = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest("/grpc.health.v1.Health/Check", raw, raw, Buffer.alloc(0), (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });
    // status: SERVING
    expect(answer).toEqual(Buffer.from([8, 1]));
    const reflect = (token?: string): Promise<number> =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        if (token !== undefined) metadata.set("authorization", `bearer ${token}`);
        const raw = (bytes: Buffer): Buffer => bytes;
        const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        const stream = client.makeBidiStreamRequest(path, raw, raw, metadata);
        stream.on("data", () => {
          resolve(status.OK);
          stream.cancel();
        });
        stream.on("error", (error: { code?: number }) => resolve(error.code ?? -1));
        // list_services: "*"
        stream.write(Buffer.from([58, 1, 42]));
      });
    expect(await reflect()).toBe(status.UNAUTHENTICATED);
    expect(await reflect(FIRST)).toBe(status.OK);
  });

  it("serve every client of ours, and the one that exists in the field, also over TLS", async () => {
    const server = await start({
      tls: SERVER_TLS,
      tokens: { entries: { one: { token: FIRST, ...ALL } } },
      sinks: { echo },
    });
    const security = { tls: { ca: certificate("ca.pem") }, token: () => Promise.resolve(FIRST) };
    const events = createEventsClient({ server: server.address, ...security });
    closing.push(() => events.close({ drainMs: 0 }));
    await events.post("one");
    const bodies: unknown[] = [];
    await events.subscribe((event) => {
      bodies.push(event.json());
    });
    await until(() => bodies.length === 1);
    const inspection = createInspectionClient({ address: server.address, ...security });
    closing.push(() => inspection.close());
    expect((await inspection.counts("")).ready).toBe(0);
    expect(await inspection.browse("")).toEqual([]);
    const sinks = createSinkClient({ address: server.address, ...security });
    closing.push(() => sinks.close());
    const response = await callOne(sinks.requestSink("echo"), { body: Buffer.from("hello") }, { timeoutMs: 20_000 });
    expect(Buffer.from(response.body).toString()).toBe("hello");
    await events.close({ drainMs: 0 });
    const ofEachCall = credentials.createFromMetadataGenerator((_, done) => {
      const metadata = new Metadata();
      metadata.set("authorization", `Bearer ${FIRST}`);
      done(null, metadata);
    });
    const field = new OriginalClient({
      address: server.address,
      clientId: "field",
      credentials: credentials.combineChannelCredentials(
        credentials.createSsl(Buffer.from(certificate("ca.pem"))),
        ofEachCall,
      ),
    });
    closing.push(() => field.destroy());
    const received: WireEvent[] = [];
    let isClosed = false;
    await field.subscribe(
      (event) => {
        received.push(event);
        void field.ack(event.user_token, true);
      },
      () => {
        isClosed = true;
      },
    );
    await field.post('{"n":1}');
    await until(() => received.length === 1);
    await field.close();
    await until(() => isClosed);
  });

  it.concurrent("that were taken away are refused at once, and their streams end; others go on", async () => {
    const tokens = tokenFile({ old: { token: FIRST, ...ALL }, next: { token: SECOND, ...ALL } });
    let isRunning = false;
    let wasAborted = false;
    const hang = sinkOf(async function* (_, context) {
      isRunning = true;
      await new Promise<void>((resolve) => context.signal.addEventListener("abort", () => resolve(), { once: true }));
      wasAborted = true;
      yield { body: new Uint8Array() };
    });
    const server = await start({ tokens: { file: tokens.file }, sinks: { hang } });
    const [oldClient, nextClient] = [server.client({ token: FIRST }), server.client({ token: SECOND })];
    const oldReader = await subscribe(oldClient, "old-reader");
    const nextReader = await subscribe(nextClient, "next-reader");
    const sinks = createSinkClient({ address: server.address, token: FIRST });
    closing.push(() => sinks.close());
    const call = callOne(sinks.requestSink("hang"), { body: new Uint8Array() }, { timeoutMs: 60_000 });
    const outcome = call.then(
      () => "a response",
      (error: unknown) => error,
    );
    await until(() => isRunning);
    tokens.write({ next: { token: SECOND, ...ALL } });
    const watch = new Stopwatch();
    expect(await outcome).toMatchObject({ code: "UNAUTHENTICATED" });
    await until(() => wasAborted);
    await until(() => oldReader.outcome !== undefined);
    expect(watch.undisturbedMs).toBeLessThan(10_000);
    expect(oldReader.outcome).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(await postOutcome(oldClient)).toMatchObject({ code: status.UNAUTHENTICATED });
    expect(nextReader.outcome).toBeUndefined();
    await post(nextClient, { clientId: "a", eventJson: "{}" });
    await until(() => nextReader.received.length === 1);
    expect(oldReader.received).toEqual([]);
    expect(server.told("credentials")).toEqual([{ type: "credentials", source: tokens.file }]);

    // Only the right: what was begun with it ends, too.
    tokens.write({ next: { token: SECOND, ...ALL, subscribe: "somebody-else" } });
    await until(() => nextReader.outcome !== undefined);
    expect(nextReader.outcome).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await postOutcome(nextClient)).toMatchObject({ code: status.OK });
  });

  it.concurrent("may be changed under a client that subscribes, if it asks for its token each time", async () => {
    const tokens = tokenFile({ old: { token: FIRST, ...ALL } });
    const server = await start({ tokens: { file: tokens.file } });
    let token = FIRST;
    const events = createEventsClient({
      server: server.address,
      clientId: "rotating",
      token: () => token,
      firstBackoffMs: 20,
      maxBackoffMs: 100,
    });
    closing.push(() => events.close({ drainMs: 0 }));
    const received: unknown[] = [];
    const subscription = await events.subscribe((event) => {
      received.push(event.json());
    });
    await events.post("before");
    await until(() => received.length === 1);
    token = SECOND;
    tokens.write({ next: { token: SECOND, ...ALL } });
    await until(() => server.told("credentials").length === 1);
    await events.post("after");
    await until(() => received.length === 2);
    expect(subscription.state).toBe("connected");

    // No token that is known any more: it is told, and not tried for ever.
    tokens.write({ other: { token: "another-token-0123456789", ...ALL } });
    expect(await subscription.closed).toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it.concurrent("from a file that cannot be used are told, and the former stay", async () => {
    const tokens = tokenFile({ one: { token: FIRST, ...ALL } });
    const server = await start({ tokens: { file: tokens.file } });
    const client = server.client({ token: FIRST });
    tokens.write(`{"one": {"token": "${SECOND}", }}`);
    await until(() => server.told("credentials").length === 1);
    tokens.write({ one: { token: SECOND, posts: "*" } as never });
    await until(() => server.told("credentials").length === 2);
    const errors = server.told("credentials").map(({ error }) => error?.message ?? "");
    expect(errors[0]).toMatch(/tokens\.json is not JSON: look at character 46/);
    expect(errors[1]).toMatch(/entry "one" has an unknown key "posts"; known are token, /);
    for (const text of errors) expect(text).not.toContain(SECOND);
    expect(await postOutcome(client)).toMatchObject({ code: status.OK });
  });

  it.skipIf(process.platform === "win32")("in a file that everybody may read are warned of", async () => {
    const tokens = tokenFile({ one: { token: FIRST } });
    chmodSync(tokens.file, 0o644);
    const server = await start({ tokens: { file: tokens.file } });
    await until(() => server.told("credentials").length === 1);
    expect(server.told("credentials")).toMatchObject([
      { source: tokens.file, warning: expect.stringContaining("chmod o-r") },
    ]);
  });

  it("that are refused are told, a few of them each and the rest as a number", async () => {
    const server = await start({ tokens: { entries: { one: { token: FIRST, post: "mine" } } } });
    const [nobody, one] = [server.client({ token: SECOND }), server.client({ token: FIRST })];
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => postOutcome(index % 2 === 0 ? nobody : one, `c-${index}`)),
    );
    const refused = server.told("client-refused");
    expect(refused).toEqual([
      {
        type: "client-refused",
        client: undefined,
        peer: "127.0.0.1",
        what: "queue.QueueApi/PostEvent",
        reason: "the bearer token is not known here",
      },
      {
        type: "client-refused",
        client: "one",
        peer: "127.0.0.1",
        what: "queue.QueueApi/PostEvent",
        reason: "no right post for this",
      },
    ]);
    await server.gateway.close({ drainMs: 0 });
    const counts = server
      .told("client-refused")
      .slice(2)
      .map(({ count }) => count);
    expect(counts).toEqual([99, 99]);
    expect(JSON.stringify(server.observations)).not.toContain(FIRST);
    expect(JSON.stringify(server.observations)).not.toContain(SECOND);
  });

  it("of a wrong form are refused without being read", async () => {
    const server = await start({ tokens: { entries: { one: { token: FIRST, ...ALL } } } });
    const client = new Client(server.address, credentials.createInsecure());
    closing.push(() => client.close());
    const raw = (bytes: Buffer): Buffer => bytes;
    const attempt = (value: string): Promise<number> =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        metadata.set("authorization", value);
        client.makeUnaryRequest("/queue.QueueApi/Close", raw, raw, Buffer.alloc(0), metadata, (error) =>
          resolve(error === null ? status.OK : error.code),
        );
      });
    expect(await attempt(`Bearer ${FIRST}`)).toBe(status.OK);
    expect(await attempt(`bearer  ${FIRST}`)).toBe(status.OK);
    const values = [FIRST, `Basic ${FIRST}`, "Bearer", "Bearer ", `Bearer ${FIRST} ${FIRST}`, `Bearer ${FIRST},`];
    const codes = await Promise.all(values.map(async (value) => ({ value, code: await attempt(value) })));
    expect(codes).toEqual(values.map((value) => ({ value, code: status.UNAUTHENTICATED })));
  });

  it("a big request of a stranger is refused before it is there", async () => {
    const server = await start({
      tokens: { entries: { one: { token: FIRST, ...ALL } } },
      maxReceiveBytes: 64 * 1_048_576,
    });
    const any = new AnyRpcClient(server.address);
    closing.push(() => any.close());
    const body = Buffer.alloc(32 * 1_048_576);
    const outcome = await any.call({ path: "/fairlead.v1.Events/Post", request: () => ({ event: { body } }) }, "");
    expect(outcome).toMatchObject({ code: status.UNAUTHENTICATED });
  });
});
