import { setTimeout as delay } from "node:timers/promises";
import { memoryBroker } from "../../../adapters/memory/index.js";
import type { Observer } from "../../../src/index.js";
import { startQueueLoad } from "../loads/queue-load.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { becomes } from "../round/becomes.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import { openMessaging } from "../round/open-messaging.js";
import { type Remarks, range, withRemarks } from "../round/remarks.js";
import type { FaultScenario } from "../round/scenario.js";

const BACK_MS = 30_000;
/** On a busy machine a timer is late, and the broker sends its last heartbeat just before it stands still. */
const LATE_MS = 2_000;
const PUBLISH_MS = 3_000;
const CLOSE_MS = 15_000;
const MOST_GROWTH_MIB = 120;
const MIB = 1024 * 1024;

export const brokerFrozen: FaultScenario = {
  id: "K2",
  title: "broker frozen for a while",
  adapters: ["memory", "rabbitmq"],
  limitMs: 150_000,
  async run(round) {
    const { isShort } = round;
    const memory = memoryBroker();
    const node = round.adapter === "rabbitmq" ? await round.node() : undefined;
    const url = node?.url ?? "memory:";
    const heartbeatSeconds = isShort ? 1 : 2;
    const remarks: Remarks = { notes: [], violations: [] };
    let frozenAt = 0;
    let noticedAt: number | undefined;
    const watch: Observer = (observation) => {
      if (observation.type !== "connection" || observation.state !== "reconnecting" || frozenAt === 0) return;
      noticedAt ??= performance.now();
    };
    const choices = { memory, rabbitmq: { heartbeatSeconds, connectTimeoutMs: 3_000 }, observers: [watch] };
    const client = openMessaging(round, url, choices);
    const server = openMessaging(round, url, choices);
    const publish = { timeoutMs: PUBLISH_MS };
    const loads = await startThreeLoads({
      stopped: round.stopped,
      client,
      server,
      name: "frozen",
      queue: { publish, perSecond: 200 },
    });
    await loads.comeThrough(BACK_MS);

    const lostBefore = lostMs();
    frozenAt = performance.now();
    if (node === undefined) memory.freeze();
    else {
      await node.freeze();
      round.atEnd(() => node.thaw());
    }
    await delay(isShort ? PUBLISH_MS + 1_000 : 15_000, undefined, { signal: round.stopped });
    if (node === undefined) memory.thaw();
    else {
      const mostMs = 3 * heartbeatSeconds * 1_000 + LATE_MS + Math.round(excusedMs(lostBefore));
      await becomes(() => noticedAt !== undefined, Math.max(0, frozenAt + mostMs - performance.now()));
      if (noticedAt === undefined) remarks.violations.push(`nobody noticed within ${mostMs} ms`);
      else remarks.notes.push(...range("noticed after", [noticedAt - frozenAt]));
      await node.thaw();
    }
    const backMs = await loads.comeThrough(BACK_MS);
    if (backMs !== undefined) remarks.notes.push(...range("all ports back after", [backMs]));
    if (loads.publishesFailed === 0) remarks.violations.push("no publisher was told UNAVAILABLE");
    return withRemarks(await loads.finish(BACK_MS), remarks);
  },
};

export const brokerFrozenForGood: FaultScenario = {
  id: "K2",
  title: "broker frozen for good",
  adapters: ["rabbitmq"],
  isSlow: true,
  limitMs: 150_000,
  async run(round) {
    const node = await round.node();
    const rabbitmq = { heartbeatSeconds: 1, connectTimeoutMs: 2_000, closeTimeoutMs: 1_000 };
    const remarks: Remarks = { notes: [], violations: [] };
    const messaging = openMessaging(round, node.url, { rabbitmq });
    const load = await startQueueLoad({
      stopped: round.stopped,
      publisher: messaging,
      queue: "frozen for good",
      bodyBytes: 16 * 1024,
      perSecond: 500,
      most: 1_000,
      publish: { timeoutMs: 1_000 },
    });
    await becomes(() => load.ledger.handled > 100, BACK_MS);
    const rssBefore = process.memoryUsage.rss();
    await node.freeze();
    round.atEnd(() => node.thaw());
    const failedBefore = load.ledger.failed;
    const until = performance.now() + 20_000;
    let rssMost = rssBefore;
    while (performance.now() < until) {
      await delay(100, undefined, { signal: round.stopped });
      rssMost = Math.max(rssMost, process.memoryUsage.rss());
    }
    const growthMib = Math.round((rssMost - rssBefore) / MIB);
    const toldUnavailable = load.ledger.failed - failedBefore;
    remarks.notes.push(`${toldUnavailable} publishers told UNAVAILABLE, RSS +${growthMib} MiB`);
    if (toldUnavailable === 0) remarks.violations.push("no publisher was told UNAVAILABLE");
    if (growthMib > MOST_GROWTH_MIB) remarks.violations.push(`RSS grew by ${growthMib} MiB`);

    load.stop();
    await load.ledger.settled(5_000);
    const closing = performance.now();
    let isClosed = false;
    void messaging.close({ drainMs: 1_000 }).then(() => {
      isClosed = true;
    });
    if (!(await becomes(() => isClosed, CLOSE_MS))) remarks.violations.push(`close did not settle in ${CLOSE_MS} ms`);
    else remarks.notes.push(...range("closed in", [performance.now() - closing]));

    // Whoever comes later finds all that was confirmed.
    await node.thaw();
    const heir = openMessaging(round, node.url, { rabbitmq });
    await heir.queue("frozen for good").consume(
      async ({ body }) => {
        load.take(body);
      },
      { concurrency: 20 },
    );
    await load.ledger.arrived(BACK_MS);
    return withRemarks(load.ledger.outcome({ violations: load.errors.violations, notes: [] }), remarks);
  },
};
