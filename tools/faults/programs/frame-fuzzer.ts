// One process with a server, a client and a consumer that are well, and a link through which frames of nonsense come to all
// of them. Prints one line of JSON.
import { randomUUID } from "node:crypto";
import { memoryBroker } from "../../../adapters/memory/index.js";
import { requestTables } from "../../../src/core/request/tables.js";
import {
  type Address,
  type Driver,
  type DriverConnection,
  FRAME,
  FRAME_HEADER,
  type WireMessage,
} from "../../../src/driver/index.js";
import { bytesCodec, call, createMessaging, jsonCodec, type Messaging, sinkOf } from "../../../src/index.js";
import { seededRandom } from "../../crash/seeded-random.js";
import { collectGarbage } from "../../memory/rss-watch.js";
import { waitUntil } from "../../process/wait-until.js";
import { diceOf, fuzzedFrame } from "../fuzz/fuzzed-frame.js";
import { fuzzedProperties } from "../fuzz/fuzzed-properties.js";
import { RawAmqp } from "../fuzz/raw-amqp.js";
import { Ledger } from "../ledger/ledger.js";
import { startPacer } from "../loads/pacer.js";
import { driverOf } from "../round/driver-of.js";
import type { FaultOutcome } from "../round/scenario.js";

export interface FrameFuzzerTask {
  readonly broker: string;
  readonly frames: number;
  readonly seed: number;
}

const SINK = "faults-fuzzed";
const QUEUE = "faults-fuzzed-queue";
/** Its own dead letters are few enough to be looked through. */
const RAW_QUEUE = "faults-fuzzed-raw-queue";
const RESPONSES = 3;
const BATCH = 200;
/** As many as an inspection shows at once. */
const MOST_DEAD = 1_000;
const SETTLED_MS = 40_000;
const ANSWER_MS = 30_000;
/** Of the heap and outside it, when nobody holds anything any more: 10,000 frames that left 1 KiB each would be seen. */
const MOST_GROWTH_BYTES = 8_000_000;

const { broker, frames, seed } = JSON.parse(process.argv[2] ?? "{}") as FrameFuzzerTask;
const dice = diceOf(seededRandom(seed));
const memory = memoryBroker();
const inboxes: string[] = [];
const nodes: Messaging[] = [];
const violations: string[] = [];

const connect = (): Messaging => {
  const messaging = createMessaging({ driver: tapped(driverOf(broker, { memory })) });
  nodes.push(messaging);
  return messaging;
};
const server = connect();
const client = connect();
const stray = await driverOf(broker, { memory }).connect({
  signal: new AbortController().signal,
  onLost: (error) => violations.push(`the link of the nonsense was lost: ${String(error)}`),
  onBlocked: () => {},
  onReturned: () => {},
});

const concurrency = { bulk: 200, standard: 200, expedite: 200 };
const echo = sinkOf(async function* ({ body }) {
  for (let index = 0; index < RESPONSES; index += 1) yield { body };
});
const serving = await server.serve(SINK, echo, { codec: bytesCodec, concurrency, maxUploads: 100 });
const calls = new Ledger();
const sink = client.requestSink(SINK);
const callPacer = startPacer({ perSecond: 50, most: 100 }, async () => {
  const number = calls.send();
  try {
    let responses = 0;
    for await (const { body } of call(
      sink,
      { body: Buffer.from(calls.tokenOf(number)) },
      { timeoutMs: SETTLED_MS, priority: "expedite" },
    )) {
      if (calls.numberOf(Buffer.from(body).toString("utf8")) !== number)
        violations.push(`call ${number} got another's response`);
      responses += 1;
    }
    if (responses !== RESPONSES) violations.push(`call ${number} ended with ${responses} responses`);
    calls.confirm(number);
    calls.handle(number);
  } catch (error) {
    calls.fail(number);
    violations.push(`call ${number} failed: ${String(error)}`);
  }
});

const messages = new Ledger();
/** What came past every client library, with a body that makes sense. */
const raw = new Ledger();
const queue = client.queue<string>(QUEUE, { codec: jsonCodec<string>() });
const consumer = await server.queue<unknown>(QUEUE, { codec: jsonCodec() }).consume(
  async ({ body }) => {
    if (typeof body !== "string") return;
    const number = messages.numberOf(body);
    if (number !== undefined) messages.handle(number);
  },
  { concurrency: 20 },
);
await server.queue<unknown>(RAW_QUEUE, { codec: jsonCodec() }).consume(
  async ({ body }) => {
    const number = typeof body === "string" ? raw.numberOf(body) : undefined;
    if (number !== undefined) raw.handle(number);
  },
  { concurrency: 20 },
);
const messagePacer = startPacer({ perSecond: 50, most: 100 }, async () => {
  const number = messages.send();
  try {
    await queue.publish({ body: messages.tokenOf(number) });
    messages.confirm(number);
  } catch (error) {
    messages.fail(number);
    violations.push(`message ${number} was refused: ${String(error)}`);
  }
});

let taken = 0;
const answers = new Map<string, WireMessage[]>();
const { address: inbox } = await stray.openInbox(
  (frame) => {
    const id = frame.correlationId ?? "";
    answers.set(id, [...(answers.get(id) ?? []).slice(-9), frame]);
  },
  () => violations.push("the inbox of the nonsense was lost"),
);
await waitUntil(() => calls.handled > 5 && messages.handled > 5 && inboxes.length > 0, {
  what: "healthy traffic",
  timeoutMs: SETTLED_MS,
});
violations.push(...(await badRequests()));

const upload = randomUUID();
await stray.publish(
  requests("bulk"),
  request(upload, { type: FRAME.channelRequest, [FRAME_HEADER.totalBytes]: "5000" }),
);
await waitUntil(() => inboxes.length > 1, { what: "the server's inbox", timeoutMs: ANSWER_MS });
await flood(Math.ceil(frames / 5));
taken = 0;
const before = await heldBytes();
await flood(frames);
if (/^amqps?:/.test(broker)) await floodPastLibraries(Math.ceil(frames / 5));
const after = await heldBytes();
const grownBytes = after - before;
if (taken < frames / 2) violations.push(`the broker took only ${taken} of ${frames} frames`);
if (grownBytes > MOST_GROWTH_BYTES) violations.push(`the memory grew by ${megabytes(grownBytes)} MB`);
// Everybody works on.
const [seenCalls, seenMessages] = [calls.handled, messages.handled];
const goesOn = (): boolean => calls.handled > seenCalls + 10 && messages.handled > seenMessages + 10;
await waitUntil(goesOn, { what: "healthy traffic to go on", timeoutMs: SETTLED_MS }).catch((error: unknown) => {
  violations.push(String(error));
});
callPacer.stop();
messagePacer.stop();
await calls.settled(SETTLED_MS);
await messages.settled(SETTLED_MS);
await messages.arrived(SETTLED_MS);
const looks = new Set<string>();
// Handled, or given up.
const isThere = async (): Promise<boolean> => {
  if (raw.missing === 0) return true;
  // Refused now, it is asked again.
  const givenUp = await client.inspection?.browse(`${RAW_QUEUE}.dead`, { limit: MOST_DEAD }).catch((error: unknown) => {
    looks.add(String(error));
    return [];
  });
  for (const { body } of givenUp ?? []) {
    const number = raw.numberOf(Buffer.from(body).toString("utf8").replaceAll('"', ""));
    if (number !== undefined) raw.keep(number);
  }
  return raw.missing === 0;
};
await waitUntil(isThere, { what: "what came past the libraries", timeoutMs: SETTLED_MS, intervalMs: 500 }).catch(
  () => {},
);
if (serving.state !== "running") violations.push(`the request server is ${serving.state}`);
if (consumer.state !== "running") violations.push(`the consumer is ${consumer.state}`);
const left = (): [string, number][] =>
  nodes.flatMap((node) => Object.entries(requestTables(node)).filter(([, size]) => size > 0));
await waitUntil(() => left().length === 0 && serving.inFlight === 0, {
  what: "empty tables",
  timeoutMs: SETTLED_MS,
}).catch(() => {});
await stray.close();
for (const [name, size] of left()) violations.push(`${size} left in ${name}`);
if (serving.inFlight > 0) violations.push(`${serving.inFlight} calls still run`);
const dead = (await client.inspection?.counts(`${QUEUE}.dead`).catch(() => undefined))?.ready ?? 0;
const notes = [`memory ${megabytes(before)} -> ${megabytes(after)} MB`, `${dead} messages of nonsense given up`];
const outcomes: Record<string, FaultOutcome> = {
  calls: calls.outcome({ violations: violations.slice(0, 20), notes }),
  messages: messages.outcome(),
  ...(raw.sent === 0
    ? {}
    : { "past libraries": raw.outcome({ notes: [`${raw.sent} with headers of every type`, ...looks] }) }),
};
console.log(JSON.stringify(outcomes));
await Promise.all(nodes.map((node) => node.close({ drainMs: 1_000 })));
process.exit(0);

/** What is wrong in a way that has a name is answered with it. */
async function badRequests(): Promise<readonly string[]> {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["an unknown version", { [FRAME_HEADER.version]: "V9" }, /UNSUPPORTED/],
    ["an oversize upload", { type: FRAME.channelRequest, [FRAME_HEADER.totalBytes]: "99999999999" }, /TOO_LARGE/],
    [
      "a size that is none",
      { type: FRAME.channelRequest, [FRAME_HEADER.totalBytes]: "many" },
      /MALFORMED|INVALID_ARGUMENT/,
    ],
  ];
  const faults = await Promise.all(
    cases.map(async ([what, headers, expected]) => {
      const id = randomUUID();
      await stray.publish(requests("standard"), request(id, headers));
      return errorOf(id, what, expected);
    }),
  );
  const id = randomUUID();
  await stray.publish(
    requests("standard"),
    request(id, { type: FRAME.channelRequest, [FRAME_HEADER.totalBytes]: "3" }),
  );
  const setUp = (): WireMessage | undefined => answers.get(id)?.find(({ type }) => type === FRAME.channelSetup);
  await waitUntil(() => setUp() !== undefined, { what: "the set-up of an upload", timeoutMs: ANSWER_MS }).catch(
    () => {},
  );
  const to: Address = { kind: "inbox", address: setUp()?.headers[FRAME_HEADER.inbox] ?? "" };
  const pieces = { [FRAME_HEADER.fragments]: "1" };
  const piece = {
    ...request(id, { type: FRAME.fragment, ...pieces, [FRAME_HEADER.fragment]: "0" }),
    body: Buffer.from("abc"),
  };
  await stray.publish(to, piece);
  await stray.publish(to, request(id, { type: FRAME.fragmentEnd, ...pieces, [FRAME_HEADER.checksum]: "0".repeat(64) }));
  return [...faults.flat(), ...(await errorOf(id, "a wrong checksum", /DATA_LOSS|MALFORMED/))];
}

async function errorOf(id: string, what: string, expected: RegExp): Promise<readonly string[]> {
  const answer = (): WireMessage | undefined => answers.get(id)?.find(({ type }) => type === FRAME.error);
  await waitUntil(() => answer() !== undefined, { what, timeoutMs: ANSWER_MS }).catch(() => {});
  const text = Buffer.from(answer()?.body ?? []).toString("utf8");
  return expected.test(text) ? [] : [`${what} was answered with ${text === "" ? "nothing" : text}`];
}

async function flood(count: number): Promise<void> {
  const targets: readonly Address[] = [
    requests("standard"),
    requests("bulk"),
    { kind: "broadcast", name: `${SINK}.control` },
    { kind: "broadcast", name: `${SINK}.control`, node: server.nodeId },
    ...inboxes.map((address): Address => ({ kind: "inbox", address })),
    { kind: "queue", queue: { name: QUEUE, lanes: false, deadLetterQueue: `${QUEUE}.dead` } },
  ];
  for (let from = 0; from < count; from += BATCH) {
    const size = Math.min(BATCH, count - from);
    await Promise.all(
      Array.from({ length: size }, async (_, index) => {
        const to = targets[(from + index) % targets.length] ?? requests("standard");
        const frame = fuzzedFrame(dice, [upload, inbox]);
        // What is taken for a request must not hold its slot for long, nor wait for credit that nobody gives.
        const bounds = { [FRAME_HEADER.timeoutMs]: "300", [FRAME_HEADER.window]: "512" };
        const headers = to.kind === "queue" ? { ...frame.headers, ...bounds } : frame.headers;
        const replyTo = dice(2) === 0 ? inbox : undefined;
        // A refusal by the driver is a clear answer, too.
        const isTaken = await stray.publish(to, { ...frame, replyTo, headers }).then(
          () => true,
          () => false,
        );
        if (isTaken) taken += 1;
      }),
    );
  }
}

/** Headers that are numbers, tables, arrays, bytes, times and nothing, on each queue that there is. */
async function floodPastLibraries(count: number): Promise<void> {
  const amqp = await RawAmqp.open(Number(new URL(broker).port));
  const ids = { ids: [upload, randomUUID()], replyTo: [inbox, ...inboxes] };
  const strange = [`${SINK}.standard`, `${SINK}.bulk`, ...inboxes];
  for (let from = 0; from < count; from += BATCH) {
    for (let index = from; index < Math.min(count, from + BATCH); index += 1) {
      if (index % 2 === 0) {
        const routingKey = strange[dice(strange.length)] ?? RAW_QUEUE;
        const body = Buffer.from(Array.from({ length: dice(64) }, () => dice(256)));
        amqp.publish({ exchange: "", routingKey, properties: fuzzedProperties(dice, ids), body });
        continue;
      }
      const number = raw.send();
      const body = Buffer.from(JSON.stringify(raw.tokenOf(number)));
      const properties = fuzzedProperties(dice, ids, "application/json");
      amqp.publish({ exchange: "", routingKey: RAW_QUEUE, properties, body });
    }
    await amqp.confirmed();
    for (let number = 0; number < raw.sent; number += 1) raw.confirm(number);
  }
  amqp.close();
}

/** Once what came has been dealt with. */
async function heldBytes(): Promise<number> {
  const isQuiet = (): boolean => serving.inFlight < 20;
  await waitUntil(isQuiet, { what: "the requests of nonsense to be over", timeoutMs: SETTLED_MS }).catch(() => {});
  answers.clear();
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function requests(lane: "standard" | "bulk"): Address {
  return { kind: "queue", queue: { name: SINK, lanes: true, deadLetterQueue: undefined }, lane };
}

function request(id: string, { type = FRAME.signal, ...headers }: Readonly<Record<string, string>>): WireMessage {
  const own = {
    [FRAME_HEADER.version]: "V5",
    [FRAME_HEADER.timeoutMs]: "5000",
    [FRAME_HEADER.client]: inbox,
    ...headers,
  };
  return {
    messageId: id,
    correlationId: id,
    replyTo: inbox,
    type,
    headers: own,
    contentType: "application/octet-stream",
    body: new Uint8Array(0),
    timestamp: Date.now(),
    persistent: false,
  };
}

/** The same driver; which inboxes it opens is known. */
function tapped(driver: Driver): Driver {
  return wrapped(driver, "connect", async (...given: Parameters<Driver["connect"]>) => {
    const connection = await driver.connect(...given);
    return wrapped(connection, "openInbox", async (...heard: Parameters<DriverConnection["openInbox"]>) => {
      const opened = await connection.openInbox(...heard);
      inboxes.push(opened.address);
      return opened;
    });
  });
}

function wrapped<T extends object, K extends keyof T>(target: T, key: K, method: T[K]): T {
  return new Proxy(target, {
    get(own, name) {
      if (name === key) return method;
      const value: unknown = Reflect.get(own, name, own);
      return typeof value === "function" ? value.bind(own) : value;
    },
  });
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
