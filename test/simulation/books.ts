import type { WireMessage } from "../../src/driver/driver.js";
import { FRAME, FRAME_HEADER } from "../../src/driver/request-frames.js";
import type { WireWatch } from "./faulty-driver-options.js";
import type { Entry, Fact, FactOf } from "./journal.js";
import type { CallPlan } from "./plan.js";
import type { World } from "./world.js";

/** The application's own header, by which the simulation knows a call on the wire. */
export const CALL_HEADER = "simulated-call";

/** Which of the calls that come to a process meanwhile do not suffer. */
type Spare = (plan: CallPlan) => boolean;

interface Illness {
  readonly untilMs: number;
  readonly spare: Spare;
}

const NOBODY: Spare = () => false;

interface LiveCall {
  readonly plan: CallPlan;
  readonly process: string;
  /** The servers to which its request was handed. */
  readonly servers: Set<string>;
}

/** Keeps the journal: who calls whom, what is on the wire, and which calls hang on what has just been broken. */
export class Books implements WireWatch {
  readonly entries: Entry[] = [];
  readonly #world: World;
  readonly #live = new Map<number, LiveCall>();
  /** Started calls by what they are called on the wire. */
  readonly #wireNames = new Map<string, number>();
  /** Processes whose calls are not healthy for a time. */
  readonly #illnesses = new Map<string, Illness[]>();
  #lastChangeMs = 0;
  #readCount = 0;
  readonly #running = new Map<number, { readonly call: number; readonly process: string }>();
  readonly #capacities = new Map<string, number>();
  readonly #held = new Map<string, number>();
  readonly #promises = new Map<number, { readonly process: string; readonly promise: string }>();
  #promiseCount = 0;
  #runs = 0;

  constructor(world: World) {
    this.#world = world;
  }

  note(fact: Fact): void {
    this.entries.push({ atMs: this.#world.elapsedMs, fact });
  }

  /** Calls that have not ended, as their applications see it. */
  get liveCount(): number {
    return this.#live.size;
  }

  /** Those of them whose application would read on. */
  get readCount(): number {
    return this.#readCount;
  }

  /** When a call or a handler last started or ended. */
  get lastChangeMs(): number {
    return this.#lastChangeMs;
  }

  /** Runs whose call is not over, as their handlers see it. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Remembers the promise until it settles. */
  track<T>(process: string, name: string, promise: Promise<T>): Promise<T> {
    this.#promiseCount += 1;
    const key = this.#promiseCount;
    this.#promises.set(key, { process, promise: name });
    const done = (): void => void this.#promises.delete(key);
    promise.then(done, done);
    return promise;
  }

  noteUnsettled(isExpected: (process: string) => boolean): void {
    for (const { process, promise } of this.#promises.values()) {
      if (isExpected(process)) this.note({ type: "unsettled", process, promise });
    }
  }

  callStarted(process: string, plan: CallPlan): void {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "call", call: plan.number, process, plan });
    this.#live.set(plan.number, { plan, process, servers: new Set() });
    if (isReading(plan)) this.#readCount += 1;
    if (this.#harms(process, plan)) this.harm(plan.number, "its client was not healthy");
  }

  callEnded(call: number, outcome: string, told: string, message: string | undefined): void {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "ended", call, outcome, told, message });
    this.#forget(call);
  }

  runStarted(start: Omit<FactOf<"run">, "type" | "run">): number {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.#runs += 1;
    const run = this.#runs;
    this.#running.set(run, start);
    this.note({ type: "run", run, ...start });
    return run;
  }

  runOver(run: number): void {
    if (!this.#running.delete(run)) return;
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "run-over", run });
  }

  harm(call: number, why: string): void {
    this.note({ type: "harm", call, why });
  }

  /** All calls that were made there, and those that are made while it is not well. */
  harmClient(process: string, why: string, forMs: number): void {
    this.#fallIll(process, forMs, NOBODY);
    for (const { plan, process: client } of this.#live.values()) if (client === process) this.harm(plan.number, why);
  }

  /** All calls that were handed to it, and those that are while it is not well. */
  harmServer(process: string, why: string, forMs: number, spare: Spare = NOBODY): void {
    this.#fallIll(process, forMs, spare);
    for (const { plan, servers } of this.#live.values()) {
      if (servers.has(process) && !spare(plan)) this.harm(plan.number, why);
    }
  }

  died(process: string): void {
    this.note({ type: "died", process });
    for (const [call, { process: client }] of this.#live) if (client === process) this.#forget(call);
    for (const [run, { process: server }] of this.#running) if (server === process) this.runOver(run);
  }

  /** How many requests a process may hold. */
  setCapacity(process: string, capacity: number): void {
    this.#capacities.set(process, capacity);
  }

  onReturned(process: string, count: number): void {
    this.#held.set(process, (this.#held.get(process) ?? 0) - count);
  }

  onDelivery(process: string, correlationId: string | undefined): void {
    const held = (this.#held.get(process) ?? 0) + 1;
    this.#held.set(process, held);
    this.note({ type: "held", process, count: held, capacity: this.#capacities.get(process) ?? 0 });
    const call = this.#wireNames.get(correlationId ?? "");
    if (call === undefined) return;
    const live = this.#live.get(call);
    live?.servers.add(process);
    if (live !== undefined && this.#harms(process, live.plan)) this.harm(call, "its server was not healthy");
  }

  onSent(process: string, { type, correlationId = "", headers, body }: WireMessage): void {
    if (type === FRAME.signal || type === FRAME.channelRequest) {
      const call = Number(headers[CALL_HEADER]);
      if (Number.isInteger(call)) this.#wireNames.set(correlationId, call);
      return;
    }
    const call = this.#wireNames.get(correlationId);
    if (type === FRAME.abort && call !== undefined) this.note({ type: "given-up", call });
    if (type !== FRAME.response && type !== FRAME.fragment) return;
    if (call === undefined || headers[FRAME_HEADER.node] === undefined) return;
    const sequence = Number(headers[FRAME_HEADER.sequence] ?? 0);
    const hasFlowControl = headers[FRAME_HEADER.version] === "V5";
    const wireRun = `${correlationId} ${headers[FRAME_HEADER.run] ?? ""}`;
    this.note({ type: "sent", call, process, wireRun, sequence, bytes: body.byteLength, hasFlowControl });
  }

  onArrived(process: string, { type, correlationId = "", headers }: WireMessage): void {
    const server = headers[FRAME_HEADER.node];
    if (server === undefined || (type !== FRAME.response && type !== FRAME.fragmentEnd)) return;
    const call = this.#wireNames.get(correlationId);
    if (call === undefined) return;
    const sequence = Number(headers[FRAME_HEADER.sequence]);
    this.note({ type: "arrived", call, process, server, sequence: sequence > 0 ? sequence : undefined });
  }

  #forget(call: number): void {
    const live = this.#live.get(call);
    if (live === undefined) return;
    this.#live.delete(call);
    if (isReading(live.plan)) this.#readCount -= 1;
  }

  #harms(process: string, plan: CallPlan): boolean {
    const illnesses = this.#illnesses.get(process) ?? [];
    return illnesses.some(({ untilMs, spare }) => this.#world.elapsedMs < untilMs && !spare(plan));
  }

  #fallIll(process: string, forMs: number, spare: Spare): void {
    const illness = { untilMs: this.#world.elapsedMs + forMs, spare };
    this.#illnesses.set(process, [...(this.#illnesses.get(process) ?? []), illness]);
  }
}

function isReading({ kind, reader }: CallPlan): boolean {
  return kind !== "stream" || reader.kind !== "stop";
}
