import { setTimeout as delay } from "node:timers/promises";
import { sqliteFaults } from "../../../adapters/sqlite/index.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { LinkWatch } from "../round/link-watch.js";
import { openMessaging } from "../round/open-messaging.js";
import { range, withRemarks } from "../round/remarks.js";
import type { FaultScenario } from "../round/scenario.js";

/** Longer than the longest back-off, and than a quorum queue needs to come back on a busy machine. */
const BACK_MS = 60_000;
const FILE_FAILURES = 6;

export const brokerKilled: FaultScenario = {
  id: "K1",
  title: "broker killed and restarted",
  adapters: ["rabbitmq"],
  limitMs: 300_000,
  async run(round) {
    const node = await round.node();
    const rabbitmq = { heartbeatSeconds: 2 };
    const links = new LinkWatch();
    const client = openMessaging(round, node.url, { rabbitmq, observers: [links.observer] });
    const server = openMessaging(round, node.url, { rabbitmq });
    const loads = await startThreeLoads({ stopped: round.stopped, client, server, name: "killed" });
    await loads.comeThrough(BACK_MS);
    await delay(round.random() * 1_500, undefined, { signal: round.stopped });
    // What a SIGKILL does to a queue that was declared a moment ago is RabbitMQ's own affair.
    await node.flush();
    const { pid } = node;
    const violations: string[] = [];
    await node.kill();
    const killedAt = performance.now();
    if (await node.running()) violations.push("the broker lives on after SIGKILL");
    violations.push(...(await links.lostSince(0, "the kill")));
    await delay(round.random() * 500, undefined, { signal: round.stopped });
    await node.restart();
    const downMs = performance.now() - killedAt;
    if (node.pid === pid) violations.push("the broker that runs now is the one that was killed");
    const backMs = await loads.comeThrough(BACK_MS);
    const notes = [
      ...range("broker down", [downMs]),
      ...range("all ports back after", backMs === undefined ? [] : [backMs]),
    ];
    return withRemarks(await loads.finish(BACK_MS), { notes, violations });
  },
};

export const fileFailed: FaultScenario = {
  id: "K1",
  title: "file failed and opened anew",
  adapters: ["sqlite"],
  limitMs: 120_000,
  async run(round) {
    const file = `${round.directory}/events.db`;
    const links = new LinkWatch();
    const client = openMessaging(round, `sqlite:${file}`, { observers: [links.observer] });
    const server = openMessaging(round, `sqlite:${file}`);
    const loads = await startThreeLoads({
      stopped: round.stopped,
      client,
      server,
      name: "failed",
      queue: { perSecond: 1_000 },
    });
    const back: number[] = [];
    const violations: string[] = [];
    for (let failure = 0; failure < (round.isShort ? 2 : FILE_FAILURES); failure += 1) {
      await delay(round.random() * 400, undefined, { signal: round.stopped });
      const { losses } = links;
      sqliteFaults(file).failFile();
      violations.push(...(await links.lostSince(losses, `failure ${failure + 1}`)));
      const ms = await loads.comeThrough(BACK_MS);
      if (ms !== undefined) back.push(ms);
    }
    return withRemarks(await loads.finish(BACK_MS), { notes: [...range("back after", back)], violations });
  },
};
