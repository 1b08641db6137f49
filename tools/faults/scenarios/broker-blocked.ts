import { setTimeout as delay } from "node:timers/promises";
import { memoryBroker } from "../../../adapters/memory/index.js";
import { MessagingError, type Observer } from "../../../src/index.js";
import type { RabbitmqNode } from "../../rabbitmq/index.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { becomes } from "../round/becomes.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import { openMessaging } from "../round/open-messaging.js";
import { type Remarks, range, withRemarks } from "../round/remarks.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";

const BACK_MS = 20_000;
/** RabbitMQ looks at its memory each second, at the disk every ten at most. */
const SEEN_MS = 25_000;
const PUBLISH_MS = 1_000;
const LATE_MS = 2_000;

interface Alarm {
  raise(): Promise<unknown>;
  clear(): Promise<unknown>;
}

export const memoryAlarm: FaultScenario = {
  id: "K5",
  title: "memory alarm",
  adapters: ["memory", "rabbitmq"],
  limitMs: 120_000,
  async run(round) {
    const memory = memoryBroker();
    if (round.adapter === "memory") {
      const alarm = { raise: async () => memory.setBlocked(true), clear: async () => memory.setBlocked(false) };
      return runBlocked(round, "memory:", alarm, { memory });
    }
    const node = await round.node();
    const set = (share: string) => evaluate(node, `vm_memory_monitor:set_vm_memory_high_watermark(${share}).`);
    return runBlocked(round, node.url, { raise: () => set("0.0001"), clear: () => set("0.4") });
  },
};

export const diskAlarm: FaultScenario = {
  id: "K5",
  title: "disk alarm",
  adapters: ["rabbitmq"],
  isSlow: true,
  limitMs: 120_000,
  async run(round) {
    const node = await round.node();
    const set = (bytes: number) => evaluate(node, `rabbit_disk_monitor:set_disk_free_limit(${bytes}).`);
    return runBlocked(round, node.url, { raise: () => set(1e15), clear: () => set(5e7) });
  },
};

async function runBlocked(
  round: FaultRound,
  url: string,
  alarm: Alarm,
  choices: { readonly memory?: ReturnType<typeof memoryBroker> } = {},
): Promise<FaultOutcome> {
  const remarks: Remarks = { notes: [], violations: [] };
  let isBlocked = false;
  const watch: Observer = (observation) => {
    if (observation.type === "blocked") isBlocked = observation.blocked;
    if (observation.type === "connection" && observation.state === "reconnecting") {
      remarks.violations.push("the alarm cost a connection");
    }
  };
  const rabbitmq = { heartbeatSeconds: 2 };
  const client = openMessaging(round, url, { ...choices, rabbitmq, observers: [watch] });
  const server = openMessaging(round, url, { ...choices, rabbitmq });
  const loads = await startThreeLoads({ stopped: round.stopped, client, server, name: "blocked" });
  await loads.comeThrough(BACK_MS);

  round.atEnd(() => alarm.clear().then(() => {}));
  await alarm.raise();
  const raisedAt = performance.now();
  if (!(await becomes(() => isBlocked && client.blocked, SEEN_MS))) {
    remarks.violations.push(`nobody was told within ${SEEN_MS} ms that publishes are blocked`);
  } else remarks.notes.push(...range("seen after", [performance.now() - raisedAt]));

  const [startedAt, lostBefore] = [performance.now(), lostMs()];
  const told = await client
    .queue("blocked queue aside")
    .publish({ body: new Uint8Array(1) }, { timeoutMs: PUBLISH_MS })
    .then(
      () => "success",
      (error: unknown) => (MessagingError.is(error) ? error.code : String(error)),
    );
  const waitedMs = performance.now() - startedAt;
  if (told !== "UNAVAILABLE") remarks.violations.push(`a publish while blocked was told ${told}`);
  if (waitedMs > PUBLISH_MS + LATE_MS + excusedMs(lostBefore))
    remarks.violations.push(`a publish while blocked took ${Math.round(waitedMs)} ms`);
  await delay(round.isShort ? 500 : 4_000, undefined, { signal: round.stopped });

  await alarm.clear();
  const clearedAt = performance.now();
  if (!(await becomes(() => !isBlocked && !client.blocked, SEEN_MS))) {
    remarks.violations.push(`still blocked ${SEEN_MS} ms after the alarm`);
  }
  if ((await loads.comeThrough(BACK_MS)) !== undefined) {
    remarks.notes.push(...range("all ports back after", [performance.now() - clearedAt]));
  }
  return withRemarks(await loads.finish(BACK_MS), remarks);
}

function evaluate(node: RabbitmqNode, expression: string): Promise<string> {
  return node.control("eval", expression);
}
