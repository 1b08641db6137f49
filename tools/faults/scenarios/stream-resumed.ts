import { setTimeout as delay } from "node:timers/promises";
import { call, type Messaging } from "../../../src/index.js";
import { type ProxyFault, startTcpProxy, type TcpProxy } from "../../proxy/tcp-proxy.js";
import { openMessaging } from "../round/open-messaging.js";
import { range } from "../round/remarks.js";
import type { FaultOutcome, FaultRound, FaultScenario } from "../round/scenario.js";

export interface ResumeStreamOptions {
  readonly responses: number;
  /** On either side. */
  readonly cuts: number;
  /** The two ends, while the stream runs: every so often. */
  readonly onLook?: ((client: Messaging, server: Messaging) => void) | undefined;
}

const NAME = "resumed stream";
const BODY_BYTES = 200;
/** No more is on its way or kept at any time, whatever is lost. */
const WINDOW = 512;
const LOOK_MS = 20;
/** One connection, from its loss to the next response. */
const BACK_MS = 8_000;
/**
 * Links that are lost soon after they opened come back later each time, at last later than a server may be silent. After so
 * many cuts of each the reader stands still until they have lived long enough to be proved.
 */
const CUTS_IN_A_ROW = 5;
const PROVED_MS = 5_500;
/** Of both ends, in one process, beyond what the first tenth of the stream took. */
const MAX_GROWTH_BYTES = 100 * 1024 * 1024;

/** One long stream, the connections of whose ends are cut by turns while it runs: it comes whole, and little is kept. */
export const streamResumed: FaultScenario = {
  id: "K3",
  title: "stream resumed",
  adapters: ["rabbitmq"],
  sharesNode: true,
  keepsApart: true,
  limitMs: 240_000,
  run: (round) =>
    resumeStream(round, round.isShort ? { responses: 10_000, cuts: 3 } : { responses: 100_000, cuts: 10 }),
};

export async function resumeStream(round: FaultRound, options: ResumeStreamOptions): Promise<FaultOutcome> {
  const { responses, cuts, onLook } = options;
  const { port } = await round.node();
  const [ours, theirs] = [await proxyOf(round, port), await proxyOf(round, port)];
  const client = openMessaging(round, urlOf(ours));
  const server = openMessaging(round, urlOf(theirs));
  const given = await serveStream(server, responses);
  const seen = new Seen(responses);
  const plan = cutPlan(round, { responses, cuts, ours, theirs });
  const memory = new MemoryGrowth();
  const looking = setInterval(() => {
    memory.look();
    onLook?.(client, server);
  }, LOOK_MS);
  round.atEnd(() => clearInterval(looking));
  const violations: string[] = [];
  const stream = call(client.requestSink(NAME), { body: new Uint8Array(0) }, { timeoutMs: 120_000, window: WINDOW });
  round.atEnd(() => stream.abort());
  try {
    for await (const { body } of stream) {
      seen.add(Buffer.from(body).readUInt32BE(0));
      if (seen.count === responses / 10) memory.begin();
      const [next] = plan;
      if (next === undefined || seen.count < next.at) continue;
      plan.shift();
      if (next.waitsFirst) {
        await delay(PROVED_MS, undefined, { signal: round.stopped });
        seen.goesOn();
      }
      seen.isCut();
      next.proxy.harm(next.fault);
      // Half of what is lost is lost while nobody reads.
      if (round.random() < 0.5) await delay(round.random() * 30, undefined, { signal: round.stopped });
    }
  } catch (error) {
    violations.push(`the stream failed after ${seen.count} responses: ${String(error)}`);
  }
  if (plan.length > 0) violations.push(`${plan.length} of ${2 * cuts} cuts were not made`);
  if (given.starts !== 1) violations.push(`the handler was started ${given.starts} times`);
  if (seen.disorder > 0) violations.push(`${seen.disorder} responses came out of their order`);
  const grownMb = Math.round(memory.grownBytes / 1024 / 1024);
  if (memory.grownBytes > MAX_GROWTH_BYTES) violations.push(`resident memory grew by ${grownMb} MB`);
  const longest = seen.longestGapMs;
  if (longest > BACK_MS) violations.push(`nothing came for ${Math.round(longest)} ms`);
  return {
    sent: responses,
    confirmed: given.confirmed,
    handled: seen.count,
    duplicates: seen.duplicates,
    lost: responses - seen.count,
    stuck: 0,
    unsettled: 0,
    longestGapMs: Math.round(longest),
    violations: [...violations, ...(seen.duplicates > 0 ? [`${seen.duplicates} responses came twice`] : [])],
    notes: [...range(`${2 * cuts} cuts, back after`, seen.gaps), `memory +${grownMb} MB`],
  };
}

interface Given {
  starts: number;
  confirmed: number;
}

async function serveStream(server: Messaging, responses: number): Promise<Given> {
  const given: Given = { starts: 0, confirmed: 0 };
  await server.serve(NAME, {
    signal(_request, context) {
      given.starts += 1;
      void (async () => {
        for (let index = 0; index < responses; index += 1) {
          const body = Buffer.alloc(BODY_BYTES);
          body.writeUInt32BE(index, 0);
          if (!(await context.respond({ body }))) return;
          given.confirmed += 1;
        }
        context.end();
      })();
    },
    abort: () => {},
  });
  return given;
}

interface Cut {
  /** After so many responses. */
  readonly at: number;
  /** Until links are proved. */
  readonly waitsFirst: boolean;
  readonly proxy: TcpProxy;
  readonly fault: ProxyFault;
}

interface CutPlan extends Required<Omit<ResumeStreamOptions, "onLook">> {
  readonly ours: TcpProxy;
  readonly theirs: TcpProxy;
}

function cutPlan(round: FaultRound, { responses, cuts, ours, theirs }: CutPlan): Cut[] {
  const each = (responses * 0.85) / (2 * cuts);
  return Array.from({ length: 2 * cuts }, (_, index) => ({
    at: Math.floor(responses * 0.1 + each * (index + round.random() * 0.9)),
    waitsFirst: index > 0 && index % (2 * CUTS_IN_A_ROW) === 0,
    proxy: index % 2 === 0 ? ours : theirs,
    fault: { kind: "cut" },
  }));
}

/** What came, and when. */
class Seen {
  count = 0;
  duplicates = 0;
  disorder = 0;
  longestGapMs = 0;
  /** From each cut to the first response that came in a new inbox or on a new link, about. */
  readonly gaps: number[] = [];
  readonly #seen: Uint8Array;
  #last = -1;
  #lastAt = performance.now();
  #longestSinceCutMs: number | undefined;

  constructor(responses: number) {
    this.#seen = new Uint8Array(responses);
  }

  add(index: number): void {
    const now = performance.now();
    const gapMs = now - this.#lastAt;
    this.#lastAt = now;
    this.longestGapMs = Math.max(this.longestGapMs, gapMs);
    if (this.#longestSinceCutMs !== undefined) this.#longestSinceCutMs = Math.max(this.#longestSinceCutMs, gapMs);
    if (this.#seen[index] !== 0) this.duplicates += 1;
    else this.count += 1;
    this.#seen[index] = 1;
    if (index !== this.#last + 1) this.disorder += 1;
    this.#last = index;
  }

  /** Nobody has read for a while, and meant it. */
  goesOn(): void {
    this.#lastAt = performance.now();
  }

  isCut(): void {
    if (this.#longestSinceCutMs !== undefined) this.gaps.push(this.#longestSinceCutMs);
    this.#longestSinceCutMs = 0;
  }
}

class MemoryGrowth {
  #base: number | undefined;
  #peak = 0;

  begin(): void {
    this.#base ??= process.memoryUsage.rss();
  }

  look(): void {
    if (this.#base !== undefined) this.#peak = Math.max(this.#peak, process.memoryUsage.rss());
  }

  get grownBytes(): number {
    return Math.max(0, this.#peak - (this.#base ?? this.#peak));
  }
}

async function proxyOf(round: FaultRound, port: number): Promise<TcpProxy> {
  const proxy = await startTcpProxy(port);
  round.atEnd(() => proxy.stop());
  return proxy;
}

function urlOf({ port }: TcpProxy): string {
  return `amqp://127.0.0.1:${port}`;
}
