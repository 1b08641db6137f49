import { setTimeout as delay } from "node:timers/promises";
import { memoryBroker } from "../../../adapters/memory/index.js";
import { sqliteFaults } from "../../../adapters/sqlite/index.js";
import { type ProxyFault, startTcpProxy, type TcpProxy } from "../../proxy/tcp-proxy.js";
import type { RabbitmqNode } from "../../rabbitmq/index.js";
import { startThreeLoads } from "../loads/three-loads.js";
import { LinkWatch } from "../round/link-watch.js";
import { openMessaging } from "../round/open-messaging.js";
import { range, withRemarks } from "../round/remarks.js";
import type { FaultRound, FaultScenario } from "../round/scenario.js";

const HEARTBEAT_SECONDS = 1;
/** Three heartbeat intervals, the longest back-off, and a busy machine. */
const BACK_MS = 30_000;
/** Longer than anybody needs to notice. */
const HELD_MS = 4_500;
const DROPS = 8;

interface LinkFault {
  readonly name: string;
  /** Undefined for what is over at once. */
  readonly heldMs: number | undefined;
  /** Nothing comes sooner, and no link is lost. Undefined: links are. */
  readonly slowedByMs?: number | undefined;
  begin(proxy: TcpProxy): void;
}

const once = (name: string, fault: ProxyFault): LinkFault => ({
  name,
  heldMs: undefined,
  begin: (proxy) => proxy.harm(fault),
});

const LINK_FAULTS: readonly LinkFault[] = [
  once("cut", { kind: "cut" }),
  once("half-open, broker gone", { kind: "half-open", gone: "server" }),
  { name: "stalled", heldMs: HELD_MS, begin: (proxy) => proxy.stall() },
  {
    name: "slowed",
    heldMs: 2_000,
    slowedByMs: 200,
    begin: (proxy) => proxy.slow({ delayMs: 200, bytesPerSecond: 60_000 }),
  },
  once("half-open, we gone", { kind: "half-open", gone: "client" }),
  { name: "stalled towards us", heldMs: HELD_MS, begin: (proxy) => proxy.stall("server") },
  once("closed by the broker", { kind: "half-closed", by: "server" }),
  { name: "stalled towards the broker", heldMs: HELD_MS, begin: (proxy) => proxy.stall("client") },
  once("closed by us", { kind: "half-closed", by: "client" }),
];

export const linkHarmed: FaultScenario = {
  id: "K3",
  title: "link cut, stalled, slowed, half-open",
  adapters: ["rabbitmq"],
  sharesNode: true,
  keepsApart: true,
  limitMs: 240_000,
  async run(round) {
    const node = await round.node();
    const rabbitmq = { heartbeatSeconds: HEARTBEAT_SECONDS, connectTimeoutMs: 2_000 };
    const [ours, theirs] = [await proxyOf(round, node), await proxyOf(round, node)];
    const [ourLinks, theirLinks] = [new LinkWatch(), new LinkWatch()];
    const client = openMessaging(round, urlOf(ours), { rabbitmq, observers: [ourLinks.observer] });
    const server = openMessaging(round, urlOf(theirs), { rabbitmq, observers: [theirLinks.observer] });
    const loads = await startThreeLoads({ stopped: round.stopped, client, server, name: "harmed" });
    const notes: string[] = [];
    const violations: string[] = [];
    const faults = round.isShort ? LINK_FAULTS.slice(0, 2) : LINK_FAULTS;
    await loads.comeThrough(BACK_MS);
    for (const [index, { name, heldMs, slowedByMs, begin }] of faults.entries()) {
      await delay(round.random() * 300, undefined, { signal: round.stopped });
      const isOurs = round.isShort ? index === 0 : round.random() < 0.5;
      const proxy = isOurs ? ours : theirs;
      const links = isOurs ? ourLinks : theirLinks;
      const { losses } = links;
      const harmed = proxy.connections;
      if (harmed === 0) violations.push(`${name}: there was no connection to harm`);
      begin(proxy);
      if (slowedByMs !== undefined) {
        const tookMs = await loads.comeThrough(BACK_MS);
        if (tookMs !== undefined && tookMs < slowedByMs) violations.push(`${name}: it came through in ${tookMs} ms`);
      }
      if (heldMs !== undefined) await delay(heldMs, undefined, { signal: round.stopped });
      proxy.resume();
      if (slowedByMs === undefined) violations.push(...(await links.lostSince(losses, name)));
      const ms = await loads.comeThrough(BACK_MS);
      const where = isOurs ? "at the client" : "at the server";
      if (ms === undefined) violations.push(`no recovery after: ${name}, ${where}`);
      else notes.push(`${name} ${where}: ${Math.round(ms)} ms`);
    }
    return withRemarks(await loads.finish(BACK_MS), { notes, violations });
  },
};

export const linksDropped: FaultScenario = {
  id: "K3",
  title: "links dropped again and again",
  adapters: ["memory", "sqlite"],
  limitMs: 120_000,
  async run(round) {
    const memory = memoryBroker();
    const file = `${round.directory}/events.db`;
    const isMemory = round.adapter === "memory";
    const url = isMemory ? "memory:" : `sqlite:${file}`;
    const drop = isMemory ? () => memory.dropConnections() : () => sqliteFaults(file).dropConnections();
    const links = new LinkWatch();
    const client = openMessaging(round, url, { memory, observers: [links.observer] });
    const server = openMessaging(round, url, { memory });
    const loads = await startThreeLoads({
      stopped: round.stopped,
      client,
      server,
      name: "dropped",
      queue: { perSecond: 1_000 },
    });
    const back: number[] = [];
    const violations: string[] = [];
    for (let drops = 0; drops < (round.isShort ? 4 : DROPS); drops += 1) {
      await delay(round.random() * 200, undefined, { signal: round.stopped });
      const { losses } = links;
      // One that is on its way back has no link to lose.
      const isOpen = client.state === "open";
      drop();
      if (isOpen) violations.push(...(await links.lostSince(losses, `drop ${drops + 1}`)));
      // Now and then again while everybody is coming back.
      if (round.random() < 0.3) continue;
      const ms = await loads.comeThrough(BACK_MS);
      if (ms !== undefined) back.push(ms);
    }
    return withRemarks(await loads.finish(BACK_MS), { notes: [...range("back after", back)], violations });
  },
};

async function proxyOf(round: FaultRound, node: RabbitmqNode): Promise<TcpProxy> {
  const proxy = await startTcpProxy(node.port);
  round.atEnd(() => proxy.stop());
  return proxy;
}

function urlOf({ port }: TcpProxy): string {
  return `amqp://127.0.0.1:${port}`;
}
