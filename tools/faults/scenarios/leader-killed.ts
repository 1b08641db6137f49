import { setTimeout as delay } from "node:timers/promises";
import { startRabbitmqCluster } from "../../rabbitmq/index.js";
import { combineOutcomes } from "../ledger/ledger.js";
import { startBroadcastLoad } from "../loads/broadcast-load.js";
import { startQueueLoad } from "../loads/queue-load.js";
import { becomes } from "../round/becomes.js";
import { openMessaging } from "../round/open-messaging.js";
import { type Remarks, range, withRemarks } from "../round/remarks.js";
import type { FaultScenario } from "../round/scenario.js";

const BACK_MS = 30_000;
/** Publishes are confirmed again, whatever node we hung on. */
const CONFIRMED_MS = 10_000;
const KILLS = 2;
const QUEUE = "led";

export const leaderKilled: FaultScenario = {
  id: "K8",
  title: "leader of a quorum queue killed, 3 nodes",
  adapters: ["rabbitmq"],
  limitMs: 400_000,
  isSlow: true,
  hasOwnBroker: true,
  keepsApart: true,
  async run(round) {
    const cluster = await startRabbitmqCluster();
    round.atEnd(() => cluster.stop());
    const remarks: Remarks = { notes: [], violations: [] };
    const rabbitmq = { heartbeatSeconds: 2, connectTimeoutMs: 3_000 };
    const client = openMessaging(round, cluster.urls, { rabbitmq });
    const server = openMessaging(round, [...cluster.urls].reverse(), { rabbitmq });
    const queue = await startQueueLoad({
      stopped: round.stopped,
      publisher: client,
      consumer: server,
      queue: QUEUE,
      allowed: ["UNAVAILABLE"],
      perSecond: 200,
    });
    const broadcast = await startBroadcastLoad({
      stopped: round.stopped,
      publisher: client,
      listeners: [server],
      broadcast: "led broadcast",
    });
    const [confirmed, handled]: [number[], number[]] = [[], []];
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await becomes(() => queue.ledger.handled > 100 * kill, BACK_MS);
      for (const node of cluster.nodes) await node.flush();
      await delay(round.random() * 1_000, undefined, { signal: round.stopped });
      const leader = await cluster.leaderOf(QUEUE);
      await leader.kill();
      if (await leader.running()) remarks.violations.push(`kill ${kill}: the leader lives on after SIGKILL`);
      const since = queue.ledger.sent;
      const killedAt = performance.now();
      if (await becomes(() => queue.ledger.latestConfirmed >= since, CONFIRMED_MS)) {
        confirmed.push(performance.now() - killedAt);
      } else remarks.violations.push(`kill ${kill}: nothing confirmed within ${CONFIRMED_MS} ms`);
      if (await becomes(() => queue.ledger.latest >= since, BACK_MS)) handled.push(performance.now() - killedAt);
      else remarks.violations.push(`kill ${kill}: nothing handled within ${BACK_MS} ms`);
      round.say(`       K8 kill ${kill}: publishes and consumers are back; the killed node starts again`);
      if ((await cluster.leaderOf(QUEUE)) === leader)
        remarks.violations.push(`kill ${kill}: the queue has no new leader`);
      await leader.restart();
    }
    remarks.notes.push(...range("confirmed again after", confirmed), ...range("handled again after", handled));
    const [ofQueue, ofBroadcast] = await Promise.all([queue.finish(BACK_MS), broadcast.finish(BACK_MS)]);
    return withRemarks(combineOutcomes({ queue: ofQueue, broadcasts: ofBroadcast }), remarks);
  },
};
