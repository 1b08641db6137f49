import { createEventsClient } from "../../../adapters/grpc/index.js";
import { queueDepth } from "../../crash/queue-depth.js";
import { freePorts } from "../../process/free-ports.js";
import { ServeProcess } from "../../process/serve-process.js";
import { Ledger } from "../ledger/ledger.js";
import { brokerOf } from "../round/broker-of.js";
import type { FaultOutcome, FaultRound } from "../round/scenario.js";
import { PosterProcess } from "./poster-process.js";
import { SubscriberProcess } from "./subscriber-process.js";

export interface EventStageOptions {
  /** Default 1. */
  readonly servers?: number | undefined;
  /** Of `fairlead serve`, besides those that make it hand out again soon what was not acknowledged. */
  readonly flags?: readonly string[] | undefined;
  /** Default: that of the round. */
  readonly broker?: string | undefined;
  /** As in `startProgram`. */
  readonly startedBy?: readonly string[] | undefined;
  /** Is told each line that a server prints. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** Events come that are not of this stage. Default false. */
  readonly hasOthers?: boolean | undefined;
}

export interface EventFindings {
  readonly violations?: readonly string[] | undefined;
  readonly notes?: readonly string[] | undefined;
  /** How many dead letters there are to be. Default 0. */
  readonly deadLetters?: number | undefined;
}

const ACK_TIMEOUT_MS = 1_500;
/** So often that no event is given up in a round. */
const SCHEDULE = ["200ms", "500ms", ...Array.from({ length: 20 }, () => "1s")].join(",");
const HANDLED_MS = 30_000;
/** After everything has come: what was acknowledged in vain comes once more. */
const EMPTY_MS = 30_000;

/** Event servers, posters and subscribers, each a process of its own, and the ledger of what they say. */
export class EventStage {
  readonly ledger = new Ledger();
  readonly servers: readonly ServeProcess[];
  readonly #round: FaultRound;
  readonly #numbers = new Map<string, number>();
  /** Came before we have read that it was sent. */
  readonly #early = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #hasOthers: boolean;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(round: FaultRound, servers: readonly ServeProcess[], hasOthers: boolean) {
    this.#round = round;
    this.#hasOthers = hasOthers;
    this.servers = servers;
    round.atEnd(() => this.#end());
  }

  /** Resolves when all servers are ready. */
  static async open(round: FaultRound, options: EventStageOptions = {}): Promise<EventStage> {
    const { servers: count = 1, flags = [], broker = await brokerOf(round), startedBy, onLine } = options;
    const { guardDirectory } = round;
    const times = ["--ack-timeout-ms", String(ACK_TIMEOUT_MS), "--retry-schedule", SCHEDULE];
    const servers = (await freePorts(count)).map((port, index) => {
      const name = `server ${index + 1}`;
      const own = ["--queue", "faults", "--log-level", "warn", "--subscribe-interval-ms", "50", ...times, ...flags];
      return new ServeProcess({ name, port, broker, flags: own, guardDirectory, startedBy, onLine });
    });
    const stage = new EventStage(round, servers, options.hasOthers ?? false);
    for (const server of servers) server.launch();
    await Promise.all(servers.map((server) => server.ready()));
    return stage;
  }

  get addresses(): readonly string[] {
    return this.servers.map(({ address }) => address);
  }

  /** Posts that failed, by code. */
  get failures(): readonly string[] {
    return [...this.#failures].map(([code, count]) => `${count} posts failed with ${code}`);
  }

  /** The token of an event is one that starts with the prefix. */
  startPoster(perSecond: number, prefix = "", bytes = 100): PosterProcess {
    const poster = new PosterProcess({
      servers: this.addresses,
      guardDirectory: this.#round.guardDirectory,
      prefix,
      perSecond,
      bytes,
      onBegun: (token) => this.begun(token),
      onPosted: (token) => this.posted(token),
      onFailed: (token, code) => this.failed(token, code),
    });
    this.#ends.push(() => poster.kill());
    poster.launch();
    return poster;
  }

  /** Resolves when a server has taken the subscription. */
  async startSubscriber(
    options: { readonly handleMs?: number; readonly deadlyPrefix?: string; readonly servers?: readonly string[] } = {},
  ): Promise<SubscriberProcess> {
    const first = this.#ends.length;
    const subscriber = new SubscriberProcess({
      servers: options.servers ?? this.addresses.map((_, index, all) => all[(first + index) % all.length] ?? ""),
      guardDirectory: this.#round.guardDirectory,
      clientId: `subscriber-${this.#ends.length}`,
      concurrency: 20,
      handleMs: options.handleMs ?? 0,
      deadlyPrefix: options.deadlyPrefix,
      onGot: (token) => this.got(token),
    });
    this.#ends.push(() => subscriber.kill());
    subscriber.launch();
    await subscriber.ready();
    return subscriber;
  }

  /** Resolves when the server has it. */
  async postOne(token: string, bytes = 100): Promise<void> {
    const client = createEventsClient({ server: this.addresses });
    this.begun(token);
    try {
      await client.post("x".repeat(bytes), { token });
      this.posted(token);
    } finally {
      await client.close();
    }
  }

  begun(token: string): void {
    const number = this.ledger.send();
    this.#numbers.set(token, number);
    for (let times = this.#early.get(token) ?? 0; times > 0; times -= 1) this.ledger.handle(number);
    this.#early.delete(token);
  }

  posted(token: string): void {
    this.ledger.confirm(this.numberOf(token));
  }

  failed(token: string, code: string): void {
    this.ledger.fail(this.numberOf(token));
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  got(token: string): void {
    const number = this.#numbers.get(token);
    if (number === undefined) this.#early.set(token, (this.#early.get(token) ?? 0) + 1);
    else this.ledger.handle(number);
  }

  /** -1 for a token that nobody has begun. */
  numberOf(token: string): number {
    return this.#numbers.get(token) ?? -1;
  }

  /** Waits until all that was confirmed has come and nothing is left in the queue, in bounded time, and tells what is wrong. */
  async finish(findings: EventFindings = {}): Promise<FaultOutcome> {
    const { ledger } = this;
    const violations = [...(findings.violations ?? [])];
    await ledger.settled(HANDLED_MS);
    await ledger.arrived(HANDLED_MS);
    const left = await this.left();
    const dead = findings.deadLetters ?? 0;
    if (left.deadLetters !== dead) violations.push(`${left.deadLetters} events were given up, not ${dead}`);
    violations.push(...this.servers.flatMap(({ deaths }) => deaths));
    if (this.#early.size > 0 && !this.#hasOthers)
      violations.push(`${this.#early.size} events came that nobody had posted`);
    return ledger.outcome({ stuck: left.waiting, violations, notes: [...(findings.notes ?? []), ...this.failures] });
  }

  /** What is still in the queue when it has had time to become empty. */
  async left(): Promise<{ readonly waiting: number; readonly deadLetters: number }> {
    const [address = ""] = this.addresses;
    const deadline = Date.now() + EMPTY_MS;
    for (;;) {
      const { ready, delayed = 0, inProcessing = 0, deadLetters } = await queueDepth(address);
      let waiting = ready + delayed + inProcessing;
      // What the broker does not tell of its queue it tells of all of them: dead letters among them.
      if (waiting === 0 && this.#round.adapter === "rabbitmq") waiting = (await inAllQueues(this.#round)) - deadLetters;
      if (waiting === 0 || Date.now() > deadline) return { waiting, deadLetters };
    }
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#ends.map((end) => end()));
    await Promise.allSettled(this.servers.map((server) => server.kill()));
  }
}

async function inAllQueues(round: FaultRound): Promise<number> {
  const text = await (await round.node()).control("-q", "list_queues", "--no-table-headers", "messages");
  return text.split("\n").reduce((sum, line) => sum + (/^\d+$/.test(line.trim()) ? Number(line) : 0), 0);
}
