import { setTimeout as delay } from "node:timers/promises";
import { callOne, type Messaging, MessagingError, sinkOf } from "../../../src/index.js";
import { type AmqpStep, atAmqpStep, type StepPart } from "../../proxy/amqp-steps.js";
import {
  afterBytes,
  atOnce,
  type ProxyFault,
  type ProxySide,
  startTcpProxy,
  type TcpProxy,
} from "../../proxy/tcp-proxy.js";
import type { RabbitmqNode } from "../../rabbitmq/index.js";
import { Ledger } from "../ledger/ledger.js";
import { becomes } from "../round/becomes.js";
import { openMessaging } from "../round/open-messaging.js";
import { withRemarks } from "../round/remarks.js";
import type { FaultRound, FaultScenario } from "../round/scenario.js";

/** Sessions that run at once. */
const WORKERS = 10;
const SESSIONS = 100;
const SESSIONS_IN_SHORT = 16;
const SESSION_MS = 45_000;
const PUBLISHES = 3;
const RABBITMQ = { heartbeatSeconds: 1, connectTimeoutMs: 2_000, closeTimeoutMs: 500 };

const FAULTS: Readonly<Record<string, ProxyFault>> = {
  cut: { kind: "cut" },
  stalled: { kind: "stall" },
  "stalled towards us": { kind: "stall", from: "server" },
  "stalled towards the broker": { kind: "stall", from: "client" },
  "half-open, broker gone": { kind: "half-open", gone: "server" },
  "half-open, we gone": { kind: "half-open", gone: "client" },
  "closed by the broker": { kind: "half-closed", by: "server" },
  "closed by us": { kind: "half-closed", by: "client" },
  slowed: { kind: "slow", delayMs: 300, bytesPerSecond: 4_000 },
};

const STEPS: Readonly<Record<ProxySide, readonly AmqpStep[]>> = {
  client: [
    ...(["connection.start-ok", "connection.tune-ok", "connection.open", "channel.open", "confirm.select"] as const),
    ...(["queue.declare", "queue.bind", "exchange.declare", "basic.qos", "basic.consume", "basic.publish"] as const),
    "basic.ack",
  ],
  server: [
    ...(["connection.start", "connection.tune", "connection.open-ok", "channel.open-ok", "confirm.select-ok"] as const),
    ...(["queue.declare-ok", "queue.bind-ok", "exchange.declare-ok", "basic.qos-ok", "basic.consume-ok"] as const),
    ...(["basic.deliver", "basic.ack"] as const),
  ],
};
const PARTS: readonly StepPart[] = ["before", "within", "after"];

/** Where a session's first links break, and how. */
interface Break {
  readonly name: string;
  readonly fault: ProxyFault;
  readonly watch: ReturnType<typeof afterBytes>;
}

export const linkSteps: FaultScenario = {
  id: "K3",
  title: "link broken at each step, set-up included",
  adapters: ["rabbitmq"],
  limitMs: 240_000,
  isSlow: true,
  keepsApart: true,
  async run(round) {
    const node = await round.node();
    const ledger = new Ledger();
    const violations: string[] = [];
    const shape = await cleanSession(round, node, ledger);
    const breaks = chooseBreaks(round, shape);
    let sprung = 0;
    let next = 0;
    const worker = async (index: number): Promise<void> => {
      for (let chosen = breaks[next]; chosen !== undefined && !round.stopped.aborted; chosen = breaks[next]) {
        next += 1;
        const proxy = await startTcpProxy(node.port);
        const messaging = openMessaging(round, `amqp://127.0.0.1:${proxy.port}`, { rabbitmq: RABBITMQ });
        proxy.setTrap(chosen);
        const over = new AbortController();
        const healing = heal(proxy, over.signal);
        const failure = await session(messaging, `steps ${index}`, ledger, over.signal);
        over.abort();
        await healing;
        if (proxy.trapped > 0) sprung += 1;
        if (failure !== undefined) violations.push(`${chosen.name}: ${failure}`);
        let isClosed = false;
        void messaging.close({ drainMs: 500 }).then(() => {
          isClosed = true;
        });
        if (!(await becomes(() => isClosed, 10_000))) violations.push(`${chosen.name}: close did not settle in 10 s`);
        await proxy.stop();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, (_, index) => worker(index)));
    // Some steps come a second time in few sessions, and some bytes never.
    if (sprung < breaks.length / 2) violations.push(`only ${sprung} of ${breaks.length} sessions were broken`);
    const notes = [`${breaks.length} sessions, ${sprung} of them broken`];
    return withRemarks(await collect(round, node, ledger), { notes, violations });
  },
};

interface Shape {
  readonly client: number;
  readonly server: number;
}

/** What a session carries when nothing breaks. */
async function cleanSession(round: FaultRound, node: RabbitmqNode, ledger: Ledger): Promise<Shape> {
  const proxy = await startTcpProxy(node.port);
  round.atEnd(() => proxy.stop());
  const messaging = openMessaging(round, `amqp://127.0.0.1:${proxy.port}`, { rabbitmq: RABBITMQ });
  const failure = await session(messaging, "steps 0", ledger, round.stopped);
  if (failure !== undefined) throw new Error(`without any fault: ${failure}`);
  return { client: proxy.clientBytes, server: proxy.serverBytes };
}

function chooseBreaks({ random, isShort }: FaultRound, shape: Shape): readonly Break[] {
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[Math.floor(random() * from.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  };
  return Array.from({ length: isShort ? SESSIONS_IN_SHORT : SESSIONS }, (_, index) => {
    const [name, fault] = pick(Object.entries(FAULTS));
    const side = pick(["client", "server"] as const);
    if (index === 0) return { name: `${name} at once`, fault, watch: atOnce };
    if (random() < 0.5) {
      const bytes = Math.floor(random() * shape[side]);
      return { name: `${name} after ${bytes} bytes from the ${side}`, fault, watch: afterBytes(side, bytes) };
    }
    const [part, step, occurrence] = [pick(PARTS), pick(STEPS[side]), random() < 0.7 ? 1 : 2];
    const what = `${name} ${part} ${step} ${occurrence} of the ${side}`;
    return { name: what, fault, watch: atAmqpStep(side, step, part, occurrence) };
  });
}

/** The links that come after a broken one are whole. */
async function heal(proxy: TcpProxy, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    if (proxy.trapped > 0) proxy.setTrap(undefined);
    await delay(5, undefined, { signal: over }).catch(() => {});
  }
}

/** Uses every port once, as an application that tries again. Resolves with what did not work in time. */
async function session(
  messaging: Messaging,
  name: string,
  ledger: Ledger,
  stopped: AbortSignal,
): Promise<string | undefined> {
  const deadline = performance.now() + SESSION_MS;
  const failures: string[] = [];
  const untilDone = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      let pending = true;
      const done = act().then(
        () => undefined,
        (error: unknown) => error ?? new Error("nothing"),
      );
      void done.finally(() => {
        pending = false;
      });
      await becomes(() => !pending || stopped.aborted, Math.max(0, deadline - performance.now()));
      if (pending) {
        failures.push(`${what} did not settle`);
        return;
      }
      const error = await done;
      if (error === undefined) return;
      const isRetryable = MessagingError.is(error) && RETRIED.has(error.code);
      if (isRetryable && performance.now() < deadline && !stopped.aborted) continue;
      failures.push(`${what}: ${MessagingError.is(error) ? error.code : "?"}: ${String(error)}`);
      return;
    }
  };
  const consume = untilDone("consume", () =>
    messaging.queue(name).consume(async ({ body }) => {
      const number = ledger.numberOf(Buffer.from(body).toString());
      if (number !== undefined) ledger.handle(number);
    }),
  );
  const publishes = Array.from({ length: PUBLISHES }, async () => {
    const number = ledger.send();
    const body = Buffer.from(ledger.tokenOf(number));
    await untilDone("publish", () => messaging.queue(name).publish({ body }, { timeoutMs: SESSION_MS - 5_000 }));
    ledger.confirm(number);
  });
  const request = untilDone("serve", () => messaging.serve(`${name} sink`, echo)).then(() =>
    untilDone("call", () => callOne(messaging.requestSink(`${name} sink`), { body: PING }, { timeoutMs: 2_000 })),
  );
  let heard = false;
  const broadcast = untilDone("subscribe", () =>
    messaging.broadcast(`${name} broadcast`).subscribe(() => {
      heard = true;
    }),
  ).then(() =>
    untilDone("broadcast", async () => {
      await messaging.broadcast(`${name} broadcast`).publish({ body: PING });
      if (!(await becomes(() => heard, 1_000))) throw new MessagingError("UNAVAILABLE", "nobody heard it");
    }),
  );
  await Promise.all([consume, request, broadcast, ...publishes]);
  return failures.length === 0 ? undefined : failures.join("; ");
}

const RETRIED: ReadonlySet<string> = new Set(["UNAVAILABLE", "TIMEOUT", "DATA_LOSS"]);
const PING = Buffer.from("ping");
const echo = sinkOf(async function* ({ body }) {
  yield { body };
});

/** What a session left in its queue comes to somebody in the end. */
async function collect(round: FaultRound, node: RabbitmqNode, ledger: Ledger): ReturnType<FaultScenario["run"]> {
  const messaging = openMessaging(round, node.url, { rabbitmq: RABBITMQ });
  await Promise.all(
    Array.from({ length: WORKERS }, (_, index) =>
      messaging.queue(`steps ${index}`).consume(
        async ({ body }) => {
          const number = ledger.numberOf(Buffer.from(body).toString());
          if (number !== undefined) ledger.handle(number);
        },
        { concurrency: 10 },
      ),
    ),
  );
  await ledger.arrived(20_000);
  return ledger.outcome();
}
