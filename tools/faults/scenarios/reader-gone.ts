import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createEventsClient } from "../../../adapters/grpc/index.js";
import { call, type RequestSink } from "../../../src/index.js";
import { type ChildProgram, startProgram } from "../../process/child-program.js";
import { identifyProcess, signalProcess } from "../../process/process-identity.js";
import { waitUntil } from "../../process/wait-until.js";
import { Ledger } from "../ledger/ledger.js";
import type { FaultServerTask } from "../programs/fault-server.js";
import type { RequestClientTask } from "../programs/request-client.js";
import type { SubscriberTask } from "../programs/subscriber.js";
import type { Work } from "../programs/work.js";
import { brokerOf } from "../round/broker-of.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";
import { BrokerMemory } from "../stage/broker-memory.js";
import { MemoryWatch, megabytes } from "../stage/memory-watch.js";
import { directWorkSink, gatewayWorkSink } from "../stage/work-sinks.js";

const SERVER = fileURLToPath(new URL("../programs/fault-server.js", import.meta.url));
const CLIENT = fileURLToPath(new URL("../programs/request-client.js", import.meta.url));
const SUBSCRIBER = fileURLToPath(new URL("../programs/subscriber.js", import.meta.url));
const READY_MS = 30_000;
/** A busy machine answers late, too. */
const KEEPALIVE_MS = 4_000;
/** Of what server and gateway hold for their readers, all of them together: their windows. */
const MOST_GROWTH_BYTES = 40_000_000;
/** Of what is left when nobody reads any more. */
const MOST_LEFT_BYTES = 5_000_000;
const EMPTY_MS = 30_000;
const ENDLESS = 1_000_000;
const AT_ONCE = 100;
/** A server takes many more streams that are left in seconds, on one connection, for an attack. */
const PER_CONNECTION = 500;

/** Readers that are slow, that stand still, and that leave; then a look at what is left. */
async function run(round: FaultRound): Promise<FaultOutcome> {
  const { adapter, isShort } = round;
  const broker = await brokerOf(round);
  const server = new WatchedServer(round, { broker, keepaliveMs: KEEPALIVE_MS });
  const address = await server.ready();
  const sinks: Record<string, () => RequestSink<Work, Uint8Array>> = {
    "through gRPC": () => gatewayWorkSink(round, address),
  };
  if (adapter === "rabbitmq") {
    const sink = directWorkSink(round, broker);
    sinks["over the broker"] = () => sink;
  }
  const ledger = new Ledger();
  const violations: string[] = [];
  const notes: string[] = [];
  const all = Object.entries(sinks);
  for (const [, sinkTo] of all) await readSome(sinkTo, ledger, isShort ? 100 : 300);
  for (const [, sinkTo] of all) await readSlowly(sinkTo(), ledger, isShort ? 200 : 2_000);
  const base = await server.memory();
  const node = adapter === "rabbitmq" ? new BrokerMemory(await round.node()) : undefined;
  await node?.begin();

  for (const [how, sinkTo] of all) {
    const items = isShort ? 300 : 4_000;
    const measured = new AbortController();
    const reading = readSlowly(sinkTo(), ledger, items, measured.signal);
    await Promise.race([reading, delay(isShort ? 200 : 2_000)]);
    let grown: number;
    try {
      grown = (await server.memory()).heldBytes - base.heldBytes;
      await node?.look();
    } finally {
      measured.abort();
    }
    await reading;
    if (grown > MOST_GROWTH_BYTES) violations.push(`a slow reader ${how} costs ${megabytes(grown)} MB`);
    notes.push(`slow reader ${how}: +${megabytes(grown)} MB`);
  }
  const targets: readonly RequestClientTask[] = [
    { ...deaf, address },
    ...(adapter === "rabbitmq" && !isShort ? [{ ...deaf, first: 2_000_000, broker }] : []),
  ];
  for (const task of targets) notes.push(await standStill(round, server, task, { base, violations, node }));
  if (!isShort) notes.push(await subscriberStandsStill(round, server, address, ledger, violations));
  for (const [, sinkTo] of all) await readSome(sinkTo, ledger, isShort ? 200 : 1_000);

  const left = await server.emptyTables();
  violations.push(...left);
  const after = await server.memory();
  const grown = after.heldBytes - base.heldBytes;
  if (grown > MOST_LEFT_BYTES) violations.push(`${megabytes(grown)} MB are left when nobody reads any more`);
  notes.push(`left: ${megabytes(grown)} MB; rss ${megabytes(base.rssBytes)} -> ${megabytes(after.rssBytes)} MB`);
  await node?.look();
  notes.push(...(node?.notes ?? []));
  violations.push(...(node?.violations ?? []));
  await ledger.settled(10_000);
  return ledger.outcome({ violations, notes });
}

const deaf: RequestClientTask = {
  first: 1_000_000,
  calls: 20,
  isDeaf: true,
  work: { ms: 0, responses: ENDLESS, bytes: 1_000 },
  timeoutMs: 120_000,
};

/** One stream, of which an item is taken each millisecond; the last half of it not before its cost was measured. */
async function readSlowly(
  sink: RequestSink<Work, Uint8Array>,
  ledger: Ledger,
  items: number,
  measured?: AbortSignal,
): Promise<void> {
  const number = ledger.send();
  const body: Work = { number, ms: 0, responses: items, bytes: 1_024, isQuiet: true };
  let read = 0;
  for await (const _response of call(sink, { body }, { timeoutMs: 120_000 })) {
    read += 1;
    await delay(1);
    while (read === items / 2 && measured?.aborted === false) await delay(10);
  }
  if (read !== items) throw new Error(`${read} of ${items} items came`);
  ledger.confirm(number);
  ledger.handle(number);
}

/** Streams that are left in the middle, or before anything came. */
async function readSome(sinkTo: () => RequestSink<Work, Uint8Array>, ledger: Ledger, streams: number): Promise<void> {
  for (let left = streams; left > 0; left -= PER_CONNECTION) {
    await readSomeOn(sinkTo(), ledger, Math.min(left, PER_CONNECTION));
  }
}

async function readSomeOn(sink: RequestSink<Work, Uint8Array>, ledger: Ledger, streams: number): Promise<void> {
  let left = streams;
  const worker = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const number = ledger.send();
      const body: Work = { number, ms: 0, responses: ENDLESS, bytes: 1_024, isQuiet: true };
      const stream = call(sink, { body }, { timeoutMs: 60_000 });
      const wanted = number % 7;
      if (wanted > 0) await readFirst(stream, wanted);
      stream.abort();
      await stream.ended.catch(() => {});
      ledger.confirm(number);
      ledger.handle(number);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function readFirst(stream: AsyncIterable<unknown>, count: number): Promise<void> {
  let read = 0;
  for await (const _response of stream) {
    read += 1;
    if (read === count) return;
  }
}

interface StandStill {
  readonly base: { readonly heldBytes: number };
  readonly violations: string[];
  readonly node: BrokerMemory | undefined;
}

/** A client that reads nothing, and then does not even answer any more. */
async function standStill(
  round: FaultRound,
  server: WatchedServer,
  task: RequestClientTask,
  { base, violations, node }: StandStill,
): Promise<string> {
  const how = task.address === undefined ? "over the broker" : "through gRPC";
  const client = startProgram(CLIENT, [JSON.stringify(task)], { guardDirectory: round.guardDirectory });
  round.atEnd(async () => void (await client.kill()));
  const { calls } = task;
  const isTaken = async (): Promise<boolean> => (await server.tables())["running"] === calls;
  await waitUntil(isTaken, { what: `${calls} calls to run`, timeoutMs: READY_MS, intervalMs: 100 });
  await delay(round.isShort ? 300 : 1_500);
  const unread = (await server.memory()).heldBytes - base.heldBytes;
  await node?.look();
  freeze(client, "SIGSTOP");
  const frozenAt = performance.now();
  const isOver = async (): Promise<boolean> => (await server.tables())["running"] === 0;
  await waitUntil(isOver, { what: `the calls of a dead reader ${how} to be over`, timeoutMs: 90_000, intervalMs: 200 });
  const ms = Math.round(performance.now() - frozenAt);
  await client.kill();
  if (unread > MOST_GROWTH_BYTES)
    violations.push(`${calls} readers ${how} that read nothing cost ${megabytes(unread)} MB`);
  return `${calls} dead readers ${how}: +${megabytes(unread)} MB, over after ${ms} ms`;
}

/** A subscriber that stands still with what it holds: it goes to another. */
async function subscriberStandsStill(
  round: FaultRound,
  server: WatchedServer,
  address: string,
  ledger: Ledger,
  violations: string[],
): Promise<string> {
  const task: SubscriberTask = { servers: [address], clientId: "dead", concurrency: 5, handleMs: 600_000 };
  const subscriber = startProgram(SUBSCRIBER, [JSON.stringify(task)], { guardDirectory: round.guardDirectory });
  round.atEnd(async () => void (await subscriber.kill()));
  await subscriber.line(/^subscribed$/, READY_MS);
  const client = createEventsClient({ server: address, clientId: "alive" });
  round.atEnd(() => client.close({ drainMs: 0 }));
  const post = async (): Promise<void> => {
    const number = ledger.send();
    await client.post({ number }, { token: ledger.tokenOf(number) });
    ledger.confirm(number);
  };
  for (let index = 0; index < 20; index += 1) await post();
  await subscriber.line(/^got /, READY_MS);
  freeze(subscriber, "SIGSTOP");
  const frozenAt = performance.now();
  await client.subscribe(
    ({ token }) => {
      const number = ledger.numberOf(token);
      if (number !== undefined) ledger.handle(number);
    },
    { concurrency: 10 },
  );
  const isGone = async (): Promise<boolean> => (await server.tables())["subscribers"] === 1;
  await waitUntil(isGone, { what: "the dead subscriber to be gone", timeoutMs: 30_000, intervalMs: 200 });
  const ms = Math.round(performance.now() - frozenAt);
  // What it held was lost and comes at once, or has failed by then and waits for its first retry.
  if (!(await ledger.arrived(20_000))) violations.push("events of a dead subscriber came to nobody else");
  await subscriber.kill();
  await client.close();
  return `a dead subscriber is gone after ${ms} ms`;
}

function freeze(program: ChildProgram, name: NodeJS.Signals): void {
  const identity = identifyProcess(program.pid);
  if (identity !== undefined) signalProcess(identity, name);
}

/** The server program, and what it says of itself. */
class WatchedServer {
  readonly #program: ChildProgram;
  readonly #memory = new MemoryWatch();
  #tables: Readonly<Record<string, number>> | undefined;

  constructor(round: FaultRound, task: FaultServerTask) {
    const onLine = (line: string): void => {
      this.#memory.read(line);
      const text = /^tables (\{.*\})$/.exec(line)?.[1];
      if (text !== undefined) this.#tables = JSON.parse(text) as Readonly<Record<string, number>>;
    };
    const { guardDirectory } = round;
    this.#program = startProgram(SERVER, [JSON.stringify(task)], { guardDirectory, onLine });
    round.atEnd(async () => void (await this.#program.kill()));
  }

  /** Its address. */
  async ready(): Promise<string> {
    return (await this.#program.line(/^ready (\S+)$/, READY_MS))[1] ?? "";
  }

  memory(): Promise<{ readonly heldBytes: number; readonly rssBytes: number }> {
    return this.#memory.ask(this.#program.pid);
  }

  async tables(): Promise<Readonly<Record<string, number>>> {
    this.#tables = undefined;
    await this.memory();
    await waitUntil(() => this.#tables !== undefined, { what: "its tables", timeoutMs: READY_MS });
    return this.#tables ?? {};
  }

  /** What is still in them when they had time to become empty, one sentence each. */
  async emptyTables(): Promise<readonly string[]> {
    let left: [string, number][] = [];
    const look = async (): Promise<boolean> => {
      left = Object.entries(await this.tables()).filter(([, size]) => size > 0);
      return left.length === 0;
    };
    await waitUntil(look, { what: "empty tables", timeoutMs: EMPTY_MS, intervalMs: 200 }).catch(() => {});
    return left.map(([name, size]) => `${size} left in ${name}`);
  }
}

const scenario = { id: "K12", title: "readers that are slow, dead or leave", limitMs: 240_000, run } as const;

/** Flat memory, and nothing left in any table. */
export const readerGone: readonly FaultScenario[] = [
  { ...scenario, adapters: ["memory"] },
  { ...scenario, adapters: ["sqlite", "rabbitmq"], isSlow: true },
];
