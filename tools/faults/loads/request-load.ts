import {
  call,
  type ErrorCode,
  type Messaging,
  type RequestServer,
  type ServeOptions,
  sinkOf,
} from "../../../src/index.js";
import { ErrorCounts } from "../ledger/error-counts.js";
import { Ledger } from "../ledger/ledger.js";
import { becomes } from "../round/becomes.js";
import { excusedMs, lostMs } from "../round/lost-time.js";
import type { FaultOutcome } from "../round/scenario.js";
import { type Pace, startPacer } from "./pacer.js";

export interface RequestLoadOptions extends Partial<Pace> {
  readonly client: Messaging;
  /** Each serves the sink. Default: the client. */
  readonly servers?: readonly Messaging[] | undefined;
  readonly sink: string;
  /** Of one call in four; the others have one. Default 30. */
  readonly responses?: number | undefined;
  /** Of each call. Default 8,000. */
  readonly timeoutMs?: number | undefined;
  readonly serve?: ServeOptions<Uint8Array, Uint8Array> | undefined;
  /** What a call may be told instead of success. Default: UNAVAILABLE, TIMEOUT, DATA_LOSS. */
  readonly allowed?: readonly ErrorCode[] | undefined;
}

/** Calls a sink at an even pace, and serves it, until it is finished. Half of the calls are idempotent. */
export interface RequestLoad {
  /** A call counts as confirmed when it ended well, and as handled when all its responses came. */
  readonly ledger: Ledger;
  readonly servers: readonly RequestServer[];
  readonly errors: ErrorCounts;
  stop(): void;
  /** Calls no more, waits until every call is settled, and closes the servers. */
  finish(): Promise<FaultOutcome>;
}

/** How far each response moves the deadline of its call. */
const EXTENDS_MS = 2_000;
const LATE_MS = 2_000;
/** In this time a server finds out that a caller has gone, which may come back for 10 s. */
const IDLE_MS = 30_000;
const CLOSE_MS = 5_000;
const DEFAULT_ALLOWED: readonly ErrorCode[] = ["UNAVAILABLE", "TIMEOUT", "DATA_LOSS"];

export async function startRequestLoad(options: RequestLoadOptions): Promise<RequestLoad> {
  const { client, servers: nodes = [client], sink: name, responses = 30, timeoutMs = 8_000 } = options;
  const { perSecond = 60, most = 200 } = options;
  const ledger = new Ledger();
  // Started handlers, under the same numbers.
  const starts = new Ledger();
  const errors = new ErrorCounts(options.allowed ?? DEFAULT_ALLOWED);
  const wrong = new Wrong();
  let received = 0;

  const served = sinkOf(async function* ({ body, idempotent = false }) {
    const [token = "", count = "0"] = textOf(body).split(" ");
    const number = ledger.numberOf(token);
    if (number === undefined) throw new Error(`a request that nobody sent: ${token}`);
    if (!starts.handle(number) && !idempotent) wrong.add(`call ${number}, which is not idempotent, was started twice`);
    for (let index = 1; index <= Number(count); index += 1) {
      yield { body: Buffer.from(`${token} ${index}`) };
    }
  });
  const limits = { respondExtendsMs: EXTENDS_MS, concurrency: { standard: 20 }, ...options.serve };
  const servers = await Promise.all(nodes.map((node) => node.serve(name, served, limits)));
  const sink = client.requestSink(name);

  const callOnce = async (): Promise<void> => {
    const number = ledger.send();
    starts.send();
    const token = ledger.tokenOf(number);
    const wanted = number % 4 === 3 ? responses : 1;
    let came = 0;
    const lostBefore = lostMs();
    let deadline = performance.now() + timeoutMs;
    try {
      const idempotent = Math.floor(number / 4) % 2 === 0;
      const given = { timeoutMs, idempotent, respondExtendsMs: EXTENDS_MS };
      for await (const { body } of call(sink, { body: Buffer.from(`${token} ${wanted}`) }, given)) {
        came += 1;
        received += 1;
        deadline = Math.max(deadline, performance.now() + EXTENDS_MS);
        const text = textOf(body);
        if (text !== `${token} ${came}`) wrong.add(`call ${number}: response ${came} was ${text}`);
      }
      if (came === wanted) ledger.handle(number);
      else wrong.add(`call ${number} ended well after ${came} of ${wanted} responses`);
      ledger.confirm(number);
    } catch (error) {
      ledger.fail(number);
      errors.add(`call ${number}`, error);
    }
    const lateMs = performance.now() - deadline - excusedMs(lostBefore);
    if (lateMs > LATE_MS) wrong.add(`call ${number} settled ${Math.round(lateMs)} ms after its deadline`);
  };
  const pacer = startPacer({ perSecond, most, stopped: options.stopped }, callOnce);

  return {
    ledger,
    servers,
    errors,
    stop: () => pacer.stop(),
    async finish() {
      pacer.stop();
      await ledger.settled(timeoutMs + EXTENDS_MS + LATE_MS);
      const stuck = (): number => servers.reduce((sum, { inFlight }) => sum + inFlight, 0);
      const isQuiet = (): boolean => stuck() === 0 && servers.every(({ state }) => state === "running");
      await becomes(isQuiet, IDLE_MS);
      const left = stuck();
      const violations = [...errors.violations, ...wrong.texts];
      for (const { state } of servers) if (state !== "running") violations.push(`a server is ${state} at the end`);
      await Promise.all(servers.map((server) => server.close({ drainMs: CLOSE_MS })));
      return ledger.outcome({ stuck: left, violations, notes: [`${received} responses`, ...errors.notes] });
    },
  };
}

const MOST_TEXTS = 5;

/** The first few of many sentences. */
class Wrong {
  readonly #texts: string[] = [];
  #more = 0;

  add(text: string): void {
    if (this.#texts.length < MOST_TEXTS) this.#texts.push(text);
    else this.#more += 1;
  }

  get texts(): readonly string[] {
    return this.#more === 0 ? this.#texts : [...this.#texts, `${this.#more} more like these`];
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8");
}
