// A process that uses a file until it is killed, and says on its standard output what it was told, line by line.
import { writeSync } from "node:fs";

const [, , mode, file, amount = "0"] = process.argv;
const { sqliteDriver } = await import(new URL("../../../dist/adapters/sqlite/index.js", import.meta.url).href);
const { Stopwatch } = await import(new URL("../../../dist/src/contract/stopwatch.js", import.meta.url).href);
const say = (line) => writeSync(1, `${line}\n`);

/** What happens in a run with the same seed is drawn alike. */
let drawn = Number(amount) >>> 0;
const random = () => {
  drawn = (drawn + 0x6d2b79f5) >>> 0;
  let value = Math.imul(drawn ^ (drawn >>> 15), drawn | 1);
  value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
  return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
};

const options = mode === "start" || mode === "fill" ? { file, historyMs: 0 } : { file };
const connect = (its) =>
  sqliteDriver(its).connect({
    signal: new AbortController().signal,
    onLost: (error) => say(`lost ${error}`),
    onBlocked: () => {},
    onReturned: () => {},
  });
const opening = new Stopwatch();
const connection = await connect(options);
const queue = { name: "orders", deadLetterQueue: "orders.dead", lanes: false };
const to = { kind: "queue", queue };
const body = new Uint8Array(1_024).fill(7);
const message = (messageId) => ({
  messageId,
  contentType: "text/plain",
  headers: {},
  body,
  timestamp: Date.now(),
  persistent: true,
});
let count = 0;
const publish = async (into = connection) => {
  count += 1;
  const id = `${process.pid}-${count}`;
  await into.publish(to, message(id));
  return id;
};

/**
 * Publishes one after the other, as one caller does, into each in turn, so that the disk is the same for all; how long that
 * took at the median and the 99th percentile, in ms.
 */
async function times(count, ...connections) {
  const took = connections.map(() => []);
  for (let left = count; left > 0; left -= 1) {
    for (const [index, into] of connections.entries()) {
      const from = performance.now();
      await publish(into);
      took[index].push(performance.now() - from);
    }
  }
  return took.map((its) => {
    its.sort((a, b) => a - b);
    return { p50: its[Math.floor(its.length * 0.5)], p99: its[Math.floor(its.length * 0.99)] };
  });
}

if (mode === "hold") {
  say("ready");
  setInterval(() => {}, 60_000);
} else if (mode === "work") {
  const handle = async (delivery) => {
    const { messageId } = delivery.message;
    say(`delivered ${messageId} ${delivery.deliveries}`);
    await new Promise((resolve) => setTimeout(resolve, random() * 4));
    const how = random();
    if (how < 0.2) say(`returning ${messageId}`);
    if (how < 0.1) await delivery.settle("release");
    else if (how < 0.2) await delivery.settle({ retryInMs: Math.floor(random() * 20), headers: { tried: "yes" } });
    else if (how < 0.25) {
      say(`ending ${messageId}`);
      if (await delivery.settle({ deadLetter: { why: "given up" } })) say(`dead ${messageId}`);
    } else {
      say(`ending ${messageId}`);
      if (await delivery.settle("ack")) say(`acked ${messageId}`);
    }
  };
  await connection.consume(
    queue,
    { prefetch: 20 },
    (delivery) => void handle(delivery),
    () => {},
  );
  say("ready");
  for (;;) {
    await Promise.all(Array.from({ length: 10 }, async () => say(`stored ${await publish()}`)));
    await new Promise((resolve) => setImmediate(resolve));
  }
} else if (mode === "fill") {
  for (let left = Number(amount); left > 0; left -= 1_000) {
    await Promise.all(Array.from({ length: Math.min(1_000, left) }, () => publish()));
  }
  await connection.close();
} else {
  const startMs = opening.undisturbedMs;
  const counts = await connection.counts(queue);
  const beside = await connect({ ...options, file: `${file}.empty` });
  // Before anybody consumes.
  const [full, empty] = await times(300, connection, beside);
  await beside.close();
  const from = new Stopwatch();
  let first;
  await connection.consume(
    queue,
    { prefetch: 100 },
    (delivery) => {
      first ??= from.undisturbedMs;
      void delivery.settle("ack");
    },
    () => {},
  );
  while (first === undefined) await new Promise((resolve) => setImmediate(resolve));
  const rssMb = process.memoryUsage().rss / 2 ** 20;
  say(JSON.stringify({ startMs, firstMs: first, ready: counts.ready, full, empty, rssMb }));
  process.exit();
}
