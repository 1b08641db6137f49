import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createEventsClient,
  createInspectionClient,
  createQueueApiClient,
  createSinkClient,
  type QueueApiClient,
} from "../../adapters/grpc/index.js";
import { memoryDriver } from "../../adapters/memory/index.js";
import { failureText, showStacks } from "../../src/cli/failure.js";
import { runProgram } from "../../src/cli/program.js";
import { bytesCodec, call, createMessaging, jsonCodec, sinkOf } from "../../src/index.js";
import { createLogger, winstonObserver } from "../../src/observability/index.js";
import type { Observation } from "../../src/ports/observer.js";
import { Reader, until } from "../adapters/grpc/rig.js";
import { WireClient } from "../adapters/grpc/wire-client.js";
import { CliProcess, runCli } from "../cli/cli-process.js";
import { leaksIn, SECRETS, told } from "./planted-secrets.js";

const SINKS = fileURLToPath(new URL("planted-sinks.mjs", import.meta.url));

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "fairlead-planted-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const JSON_BODY = JSON.stringify({ secret: SECRETS.body });

describe.each(["text", "json"])("a server that logs everything as %s, and its clients", (format) => {
  let server: CliProcess;
  let address = "";
  const outcomes: string[] = [];
  const clients: { close(): unknown }[] = [];

  beforeAll(async () => {
    const tokensFile = join(directory, `tokens-${format}.json`);
    const everything = { post: "*", subscribe: "*", request: "*", admin: "*" };
    const entries = {
      tester: { token: SECRETS.token, ...everything },
      poster: { token: "another-token-0123", post: "a" },
    };
    writeFileSync(tokensFile, JSON.stringify(entries), { mode: 0o600 });
    const flags = ["--log-level", "debug", "--log-format", format, "--tokens-file", tokensFile, "--sink", SINKS];
    const times = [
      "--ack-timeout-ms",
      "200",
      "--retry-schedule",
      "50ms",
      "--drain-ms",
      "500",
      "--refusal-delay-ms",
      "50",
    ];
    const limits = ["--max-event-bytes", "2000", "--max-calls-per-second", "500", "--max-header-bytes", "4096"];
    server = new CliProcess(["serve", "--broker", "memory:", "--listen", "127.0.0.1:0", ...flags, ...times, ...limits]);
    await server.until("ready", () => server.stdout.includes("fairlead ready"), 45_000);
    address = /listen=(\S+)/.exec(server.stdout)?.[1] ?? "";
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    await server[Symbol.asyncDispose]();
  });

  /** Notes how it ended. */
  async function note(work: Promise<unknown>): Promise<void> {
    outcomes.push(await work.then(() => "", told));
  }

  function queueApi(token: string): QueueApiClient {
    const client = createQueueApiClient(address, { token });
    clients.push(client);
    return client;
  }

  function unary(
    client: QueueApiClient,
    rpc: "PostEvent" | "Ack",
    request: object,
    metadata = new Metadata(),
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      const options = { deadline: Date.now() + 5_000 };
      const done = (error: ServiceError | null): void => (error === null ? resolve() : reject(error));
      if (rpc === "Ack") client.Ack(request, metadata, options, done);
      else client.PostEvent(request, metadata, options, done);
    });
  }

  it("posts, also those that are refused", async () => {
    const client = queueApi(SECRETS.token);
    const event = { clientId: "a", eventJson: JSON_BODY, userToken: SECRETS.userToken };
    const metadata = new Metadata();
    metadata.set("x-planted", SECRETS.metadata);
    await note(unary(client, "PostEvent", event, metadata));
    await note(unary(client, "PostEvent", { ...event, eventJson: SECRETS.body.repeat(500) }));
    await note(unary(client, "PostEvent", { ...event, userToken: SECRETS.userToken.repeat(40) }));
    metadata.set("x-planted", SECRETS.metadata.repeat(400));
    await note(unary(client, "PostEvent", event, metadata));
    metadata.set("x-planted", "short");
    metadata.add("fairlead-post-id", SECRETS.metadata);
    metadata.add("fairlead-post-id", SECRETS.metadata);
    await note(unary(client, "PostEvent", event, metadata));
    await note(unary(client, "Ack", { userToken: SECRETS.ackToken, success: true }));
    await note(unary(client, "Ack", { userToken: SECRETS.ackToken.repeat(100), success: false }));
  });

  it("callers that are not known, or may not", async () => {
    const event = { clientId: "a", eventJson: JSON_BODY, userToken: SECRETS.userToken };
    await note(unary(queueApi(SECRETS.wrongToken), "PostEvent", event));
    await note(unary(queueApi("another-token-0123"), "PostEvent", { ...event, clientId: "b" }));
    const bare = createQueueApiClient(address);
    clients.push(bare);
    const metadata = new Metadata();
    metadata.set("authorization", `Basic ${SECRETS.wrongToken}`);
    await note(unary(bare, "PostEvent", event, metadata));
    metadata.add("authorization", `Bearer ${SECRETS.token}`);
    await note(unary(bare, "PostEvent", event, metadata));
  });

  it("requests that are not readable", async () => {
    const wire = new WireClient(address);
    clients.push(wire);
    const headers = { authorization: `Bearer ${SECRETS.token}`, "x-planted": SECRETS.metadata };
    for (const bytes of [
      Buffer.from(SECRETS.searchText),
      Buffer.concat([
        Buffer.from([0x12, SECRETS.searchText.length + 1]),
        Buffer.from(SECRETS.searchText),
        Buffer.from([0xff]),
      ]),
    ]) {
      const called = wire.open("/queue.QueueApi/PostEvent", headers);
      called.send(bytes);
      called.stream.end();
      await called.ended;
      outcomes.push(`${called.details} ${JSON.stringify(called.trailers)}`);
    }
  });

  it("events that are delivered, refused by their handler, and given up", async () => {
    const reader = new Reader(queueApi(SECRETS.token).SubscribeEvents({ clientId: "a" }));
    await until(() => reader.received.length > 0, "a delivery");
    // Nobody acknowledges: it is tried again, and given up.
    await server.until("the dead letter", () => server.stderr.includes("dead-letter"));
    reader.call.cancel();
    const client = createEventsClient({ server: address, clientId: "a", token: SECRETS.token });
    clients.push(client);
    await client.subscribe(async (event) => void event.json());
    await note(client.post(JSON_BODY));
    await note(client.post(SECRETS.body));
    const inspection = createInspectionClient({ address, token: SECRETS.token });
    clients.push(inspection);
    await note(inspection.counts(".dead"));
    await note(inspection.remove(".dead", { messageIds: [SECRETS.searchText] } as never));
  });

  it("calls to sinks, also those that fail, crash, time out and cannot be read", async () => {
    const client = createSinkClient({ address, token: SECRETS.token });
    clients.push(client);
    const headers = { "x-planted": SECRETS.header };
    const timeoutMs = 2_000;
    for (const name of ["echo", "failing", "crashing"]) {
      const sink = client.requestSink(name, { codec: jsonCodec(), responseCodec: bytesCodec });
      await note(call(sink, { body: { secret: SECRETS.body }, headers }, { timeoutMs }).ended);
    }
    // Bytes that are no JSON, for a service that reads JSON: as short as the parser quotes them whole.
    const contentType = "application/json";
    const raw = client.requestSink("echo", { codec: bytesCodec, responseCodec: bytesCodec });
    await note(call(raw, { body: Buffer.from(SECRETS.body), headers, contentType }, { timeoutMs }).ended);
    await note(call(raw, { body: Buffer.from(`{"a": ${SECRETS.body}`), headers, contentType }, { timeoutMs }).ended);
    const silent = client.requestSink("silent", { codec: jsonCodec(), responseCodec: bytesCodec });
    await note(call(silent, { body: { secret: SECRETS.body }, headers }, { timeoutMs: 150 }).ended);
  });

  it("leave no secret in its output, nor in what clients are told", async () => {
    server.kill("SIGTERM");
    await server.until("the end", () => server.stderr.includes("connection closed"));
    expect(outcomes.filter((outcome) => outcome !== "").length).toBeGreaterThan(10);
    expect(server.stderr).toMatch(/dead-letter/);
    expect(server.stderr).toMatch(/client refused/);
    expect(server.stderr).toMatch(/call failed/);
    expect(leaksIn(server.stdout)).toEqual([]);
    for (const line of server.stderr.split("\n")) expect([leaksIn(line), line]).toEqual([[], line]);
    for (const outcome of outcomes) expect([leaksIn(outcome), outcome]).toEqual([[], outcome]);
  });
});

describe("the command line", () => {
  let refusing: Server;
  let port = 0;
  let heard = "";
  beforeAll(async () => {
    // Speaks no AMQP, and sends back what it was told.
    refusing = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (bytes: Buffer) => {
        heard += bytes.toString("latin1");
        socket.end(Buffer.concat([bytes, Buffer.from(SECRETS.searchText)]));
      });
    });
    await new Promise<void>((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const address = refusing.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(() => void refusing.close());

  const url = (host: string): string => `amqp://guest:${SECRETS.brokerPassword}@${host}/vhost?secret=${SECRETS.header}`;
  const timeLimits = ["--connect-timeout-ms", "2000", "--log-level", "debug"];

  it("says what is wrong with a broker without its password", async () => {
    const file = join(directory, "config.json");
    writeFileSync(file, `{"broker": "${url("127.0.0.1:1")}", oops`);
    const fileWithKey = join(directory, "config-key.json");
    writeFileSync(fileWithKey, JSON.stringify({ broker: url("127.0.0.1:1"), unknownKey: SECRETS.token }));
    const serve = ["serve", "--listen", "127.0.0.1:0", ...timeLimits];
    const { code, stdout, stderr } = await runCli([...serve, "--broker", url(`127.0.0.1:${port}`).replace(/\?.*/, "")]);
    expect(heard).toContain("AMQP");
    expect(code).toBe(1);
    expect([leaksIn(stdout + stderr), stderr]).toEqual([[], stderr]);
    await expectNoLeak([...serve, "--broker", url("127.0.0.1:1"), "--connect-timeout-ms", "50"]);
    await expectNoLeak(serve, { FAIRLEAD_BROKER: url("127.0.0.1:99999") });
    await expectNoLeak([...serve, "--broker", `guest:${SECRETS.brokerPassword}@host`]);
    await expectNoLeak([...serve, "--config", file]);
    await expectNoLeak([...serve, "--config", fileWithKey]);
    await expectNoLeak([...serve, "--broker", "memory:"], { FAIRLEAD_TOKENS: `{"a": {"token": "${SECRETS.token}"` });
  });

  it("says what is wrong with a body or a token without either", async () => {
    const tokenFile = join(directory, "token");
    writeFileSync(tokenFile, `${SECRETS.token} ${SECRETS.wrongToken}`, { mode: 0o600 });
    const client = ["--server", "127.0.0.1:1", "--timeout", "100ms", "--log-level", "debug"];
    await expectNoLeak(["post", SECRETS.body, ...client]);
    await expectNoLeak(["post", JSON_BODY, ...client]);
    await expectNoLeak(["post", "{}", ...client, "--token-file", tokenFile]);
    await expectNoLeak(["request", "rows", SECRETS.body, ...client]);
  });

  /** The failure of a command as `fairlead` writes it, with its stack. */
  async function expectNoLeak(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const before = Object.keys(env).map((name): [string, string | undefined] => [name, process.env[name]]);
    Object.assign(process.env, env);
    try {
      const outcome: unknown = await runProgram(args).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(Error);
      showStacks(true);
      const shown = `${failureText(outcome)} ${inspect(outcome, { depth: 8 })}`;
      expect([leaksIn(shown), shown]).toEqual([[], shown]);
    } finally {
      showStacks(false);
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  }
});

describe("observations and log lines of a process", () => {
  it("hold no body and no header, whatever fails", async () => {
    const observations: Observation[] = [];
    let lines = "";
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines += chunk.toString();
        done();
      },
    });
    const log = winstonObserver(createLogger({ level: "debug", format: "json", stream }));
    await using messaging = createMessaging({
      driver: memoryDriver(),
      observers: [(observation) => void observations.push(observation), log],
    });
    const headers = { "x-planted": SECRETS.header };
    const contentType = "application/json";
    const options = { maxAttempts: 1 };
    const raw = messaging.queue("numbers", { codec: { ...bytesCodec, contentType } });
    const typed = messaging.queue("numbers", { codec: jsonCodec() });
    await typed.consume(async () => {
      throw new Error("a handler that failed");
    }, options);
    await raw.publish({ body: Buffer.from(SECRETS.body), headers });
    await raw.publish({ body: Buffer.from(`{"a": ${SECRETS.body}}`), headers });
    await raw.publish({ body: Buffer.from(JSON_BODY), headers });
    await messaging.serve(
      "echo",
      sinkOf(async function* () {}),
      { codec: jsonCodec() },
    );
    const sink = messaging.requestSink("echo", { codec: bytesCodec });
    const failed = await call(
      sink,
      { body: Buffer.from(SECRETS.body), headers, contentType },
      { timeoutMs: 2_000 },
    ).ended.catch(told);
    expect(failed).toMatch(/not readable as application\/json/);
    expect(leaksIn(String(failed))).toEqual([]);
    const dead = (): number => observations.filter(({ type }) => type === "settled").length;
    await until(() => dead() >= 3, "three dead letters");
    for (const observation of observations) {
      const shown = inspect(observation, { depth: 8 });
      expect([leaksIn(shown), shown]).toEqual([[], shown]);
    }
    expect(leaksIn(lines)).toEqual([]);
    expect(lines).toContain("dead-lettered");
  });
});
