import { randomUUID } from "node:crypto";
import {
  type ClientSecurityOptions,
  createEventsClient,
  type EventsClient,
  type EventsClientOptions,
  type ReceivedEvent,
} from "../../adapters/grpc/index.js";
import type { MessagingError } from "../errors/messaging-error.js";
import { onAbort } from "../util/abort.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { oneLine } from "./failure.js";
import { LoadLedger } from "./load-ledger.js";
import { LoadPoster } from "./load-poster.js";
import { loadResult, progressLine, resultLine } from "./load-result.js";
import { fromLoadToken } from "./load-token.js";
import { sleep } from "./sleep.js";
import { onStopSignal } from "./stop-signal.js";

export interface LoadOrder {
  readonly servers: readonly string[];
  readonly security: ClientSecurityOptions;
  /** How long nothing may come through before the server counts as gone. */
  readonly timeoutMs: number;
  readonly rate: number;
  readonly warmupMs: number;
  /** In each loop. */
  readonly events: number;
  readonly subscribers: number;
  readonly loops: number;
  readonly sizeBytes: number;
  /** How long nothing may come before what is outstanding is lost. */
  readonly drainMs: number;
  readonly json: boolean;
}

/** Who posts, in every run. */
const CLIENT_ID = "fairlead-load";
/** Handlers of one subscriber: they do nothing, so this is how many events may be out. */
const CONCURRENCY = 100;
/** What was posted so long before this run began is nobody's any more; what is younger may be of a run beside this one. */
const LEFT_OVER_MS = 30_000;
const PROGRESS_MS = 1_000;
const LOOK_MS = 20;
const CLOSE_MS = 5_000;
/** It is a tool for tests: it comes back sooner than an application should. */
const POSTER = { firstBackoffMs: 200, maxBackoffMs: 2_000 } as const;
const SUBSCRIBER = { firstBackoffMs: 100, maxBackoffMs: 500, livesAfterMs: 1_000 } as const;

/** Posts and receives at once, and tells what was lost. */
export async function load(order: LoadOrder): Promise<ExitCode> {
  const stop = onStopSignal();
  const run = new LoadRun(order, stop.signal);
  try {
    return await run.run();
  } finally {
    stop.dispose();
    await run.close();
  }
}

class LoadRun {
  readonly #order: LoadOrder;
  readonly #stop: AbortSignal;
  readonly #run = randomUUID().slice(0, 8);
  readonly #begunAt = Date.now();
  readonly #ledger: LoadLedger;
  readonly #giveUp = new AbortController();
  readonly #posters: readonly EventsClient[];
  readonly #subscribers: readonly EventsClient[];
  #refusal: MessagingError | undefined;
  #foreign = 0;
  #leftOver = 0;
  #acksFailed = 0;
  /** Events that came through, in either direction, and when that was seen to grow. */
  #progress = { events: 0, at: performance.now() };
  #isDraining = false;
  /** As told last. */
  #posted = 0;

  constructor(order: LoadOrder, stop: AbortSignal) {
    this.#order = order;
    this.#stop = stop;
    this.#ledger = new LoadLedger(this.#run, order.events * order.loops);
    const client = (
      clientId: string,
      first: number,
      pace: Pick<EventsClientOptions, "firstBackoffMs" | "maxBackoffMs">,
    ): EventsClient => {
      const server = order.servers.map((_, index) => order.servers[(first + index) % order.servers.length] ?? "");
      const { timeoutMs } = order;
      const limits = { postTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs };
      return createEventsClient({
        ...pace,
        ...limits,
        ...order.security,
        server,
        clientId,
        onNotice: ({ type }) => {
          if (type === "ack-failed") this.#acksFailed += 1;
        },
      });
    };
    this.#posters = order.servers.map((_, index) => client(CLIENT_ID, index, POSTER));
    this.#subscribers = Array.from({ length: order.subscribers }, (_, index) => {
      return client(`${CLIENT_ID}-${this.#run}-${index + 1}`, index, SUBSCRIBER);
    });
  }

  async run(): Promise<ExitCode> {
    const order = this.#order;
    await this.#subscribe();
    const startedAt = performance.now();
    const watch = setInterval(() => this.#watch(), PROGRESS_MS);
    try {
      for (let loop = 0; loop < order.loops && !this.#stop.aborted && !this.#giveUp.signal.aborted; loop += 1) {
        if (order.loops > 1) this.#say(`loop ${loop + 1} of ${order.loops}`);
        await this.#loop(loop);
      }
    } finally {
      clearInterval(watch);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    const others = { foreign: this.#foreign, leftOver: this.#leftOver, acksFailed: this.#acksFailed };
    const result = loadResult(this.#ledger, { seconds, ...others });
    process.stdout.write(`${order.json ? JSON.stringify(result) : resultLine(result)}\n`);
    if (this.#giveUp.signal.aborted) throw this.#giveUp.signal.reason;
    if (result.lost > 0) throw new Error(`${result.lost} events were posted and not received`);
    if (result.notPosted + result.unknown > 0) {
      const why = this.#refusal === undefined ? "" : `: ${this.#refusal.message}`;
      throw new Error(`${result.notPosted + result.unknown} events could not be posted${why}`);
    }
    return EXIT_CODE.ok;
  }

  async close(): Promise<void> {
    const clients = [...this.#subscribers, ...this.#posters];
    await Promise.all(clients.map((client) => client.close({ drainMs: CLOSE_MS })));
  }

  async #subscribe(): Promise<void> {
    const setUp = new AbortController();
    const forget = onAbort(this.#stop, () => setUp.abort());
    const onClosed = (cause: Error | undefined): void => {
      if (cause !== undefined) this.#giveUp.abort(cause);
    };
    const options = { concurrency: CONCURRENCY, signal: setUp.signal, onClosed };
    await Promise.all(this.#subscribers.map((client) => client.subscribe((event) => this.#take(event), options)));
    // From here on a stop still receives what was posted.
    forget();
  }

  async #loop(loop: number): Promise<void> {
    const { events, drainMs } = this.#order;
    this.#isDraining = false;
    this.#progress.at = performance.now();
    const poster = new LoadPoster({
      ...this.#order,
      clients: this.#posters,
      ledger: this.#ledger,
      run: this.#run,
      stop: AbortSignal.any([this.#stop, this.#giveUp.signal]),
      giveUp: this.#giveUp.signal,
      onRefused: (error) => {
        this.#refusal ??= error;
      },
    });
    await poster.post(loop * events, events);
    if (this.#giveUp.signal.aborted) return;
    const { outstanding } = this.#ledger.totals;
    if (outstanding > 0)
      this.#say(`all is posted; waiting for ${outstanding} more, until nothing came for ${drainMs} ms`);
    this.#progress.at = performance.now();
    this.#isDraining = true;
    while (this.#ledger.totals.outstanding > 0 && performance.now() - this.#progress.at < drainMs) {
      await sleep(LOOK_MS, this.#giveUp.signal);
      this.#look();
    }
    this.#ledger.rest(loop * events, events);
  }

  #take(event: ReceivedEvent): void {
    const token = fromLoadToken(event.token);
    if (this.#ledger.received(token, performance.now())) return;
    if (token !== undefined && token.postedAt < this.#begunAt - LEFT_OVER_MS) {
      this.#leftOver += 1;
      return;
    }
    this.#foreign += 1;
    // Refused: it comes again by the retry schedule, for whom it was meant.
    throw new Error("an event of somebody else");
  }

  #look(): void {
    const { posted, received } = this.#ledger.totals;
    const events = posted + received;
    if (events > this.#progress.events) this.#progress = { events, at: performance.now() };
  }

  #watch(): void {
    const before = this.#posted;
    this.#posted = this.#ledger.totals.posted;
    this.#say(progressLine(this.#ledger, this.#posted - before));
    this.#look();
    const { timeoutMs, servers } = this.#order;
    // A drain has its own bound.
    if (this.#isDraining || performance.now() - this.#progress.at < timeoutMs) return;
    this.#giveUp.abort(new Error(`nothing came through for ${timeoutMs} ms at ${servers.join(", ")}`));
  }

  #say(text: string): void {
    process.stderr.write(`fairlead load: ${oneLine(text)}\n`);
  }
}
