import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { maskBrokerUrl } from "../../src/container/index.js";
import { freePorts } from "../process/free-ports.js";
import { createProcessGuard } from "../process/process-guard.js";
import type { DemoOptions } from "./demo-options.js";
import { DemoServer } from "./demo-server.js";
import { DemoSubscriber } from "./demo-subscriber.js";
import { type Killed, killBroker, killServer } from "./kills.js";
import { Ledger } from "./ledger.js";
import { postAll } from "./poster.js";
import type { Outcome } from "./summary.js";

/** Nothing new for so long means that nothing will come. */
const STALLED_MS = 90_000;
const MOST_MS = 900_000;
const STEP_MS = 120_000;
const SILENT_LOOKS = 5;

/** Runs it all with processes of its own, and leaves none behind. */
export async function runDemo(
  options: DemoOptions,
  say: (line: string) => void,
  stopped: AbortSignal,
): Promise<Outcome> {
  const startedAt = Date.now();
  const run = randomUUID().slice(0, 8);
  const guard = createProcessGuard("demo");
  const ledger = new Ledger(run);
  const over = new AbortController();
  const stop = AbortSignal.any([stopped, over.signal]);
  // Each post that waits to be tried again listens.
  setMaxListeners(0, stop);
  let failure: string | undefined;
  const fail = (error: unknown): void => {
    failure ??= error instanceof Error ? error.message : String(error);
    over.abort();
  };
  const ports = await freePorts(options.servers);
  const servers = ports.map(
    (port, index) =>
      new DemoServer({
        name: `server ${index + 1}`,
        port,
        broker: options.broker,
        guardDirectory: guard.directory,
        onDied: fail,
      }),
  );
  const subscribers = Array.from(
    { length: options.subscribers },
    (_, index) =>
      new DemoSubscriber({
        name: `subscriber ${index + 1}`,
        clientId: `demo-${run}-${index + 1}`,
        servers,
        first: index,
        ledger,
        say,
      }),
  );
  const progress = setInterval(createProgress(ledger, say), 1_000);
  try {
    say(`broker ${maskBrokerUrl(options.broker)}, ${options.events} events`);
    const starting = servers.map(async (server) => {
      await server.start();
      say(`${server.name} is ready at ${server.address} pid=${server.pid}`);
    });
    await within(STEP_MS, "every server to be ready", Promise.all(starting), stop);
    const subscribing = subscribers.map((subscriber) => subscriber.start());
    await within(STEP_MS, "every subscriber to be heard", Promise.all(subscribing), stop);
    await options.victim?.flush();
    const comingBack: Promise<void>[] = [];
    const interruptions = killsOf(options, servers, say).map((kill) => async () => {
      const { back } = await kill();
      comingBack.push(back.catch(fail));
    });
    const posting = postAll({
      servers,
      ledger,
      events: options.events,
      stopped: stop,
      interruptions: spread(interruptions, options.events),
    }).then(() => say("all is posted"), fail);
    await within(MOST_MS, "all events", untilAllCame(ledger, options.events, stop), stop);
    await posting;
    await within(STEP_MS, "what was killed to be back", Promise.all(comingBack), stop);
  } catch (error) {
    fail(error);
  } finally {
    clearInterval(progress);
    over.abort();
    await Promise.allSettled(subscribers.map((subscriber) => subscriber.stop()));
    await Promise.allSettled(servers.map((server) => server.end()));
    await guard.release();
  }
  const shares = subscribers.map(({ name, received }) => ({ name, received }));
  const seconds = (Date.now() - startedAt) / 1_000;
  return { events: options.events, totals: ledger.totals, shares, seconds, failure };
}

function killsOf(
  { killServer: kill, victim }: DemoOptions,
  [server]: readonly DemoServer[],
  say: (line: string) => void,
): readonly (() => Promise<Killed>)[] {
  return [
    ...(kill && server !== undefined ? [() => killServer(server, say)] : []),
    ...(victim === undefined ? [] : [() => killBroker(victim, say)]),
  ];
}

/** One in the middle, two at the thirds. */
function spread(acts: readonly (() => Promise<void>)[], events: number): Map<number, () => Promise<void>> {
  return new Map(acts.map((act, index) => [Math.floor((events * (index + 1)) / (acts.length + 1)), act]));
}

async function untilAllCame(ledger: Ledger, events: number, stop: AbortSignal): Promise<void> {
  for (;;) {
    const { posted, distinct } = ledger.totals;
    if (stop.aborted || (posted === events && distinct === events)) return;
    if (ledger.idleMs > STALLED_MS) throw new Error(`nothing new for ${STALLED_MS / 1_000} s`);
    await delay(100);
  }
}

/** Rejects when it takes too long, and as soon as the demo is stopped. */
async function within(timeoutMs: number, what: string, promise: Promise<unknown>, stop: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const late = AbortSignal.timeout(timeoutMs);
  const never = new Promise<never>((_, reject) => {
    const refuse = (why: string) => (): void => reject(new Error(why));
    if (stop.aborted) reject(new Error("stopped"));
    stop.addEventListener("abort", refuse("stopped by a signal"), { signal: ended.signal });
    late.addEventListener("abort", refuse(`waited ${timeoutMs} ms for ${what}`), { signal: ended.signal });
  });
  try {
    await Promise.race([promise, never]);
  } finally {
    ended.abort();
  }
}

/** Says where it stands when that changed, and now and then when it did not. */
function createProgress(ledger: Ledger, say: (line: string) => void): () => void {
  let said = "";
  let unsaid = 0;
  return () => {
    const { posted, distinct } = ledger.totals;
    const line = `${posted} posted, ${distinct} received`;
    unsaid += 1;
    if (posted === 0 || (line === said && unsaid < SILENT_LOOKS)) return;
    say(line === said ? `still ${line}` : line);
    said = line;
    unsaid = 0;
  };
}
