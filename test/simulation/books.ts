import { decodeAlive, FRAME, FRAME_HEADER, numberIn } from "../../src/core/request/frames.js";
import type { WireMessage } from "../../src/driver/driver.js";
import type { QueueLane, WireWatch } from "./faulty-driver-options.js";
import { HeldRequests } from "./held-requests.js";
import { Illnesses, type Spare } from "./illnesses.js";
import type { Concurrency, Entry, Fact, FactOf, Harm } from "./journal.js";
import { OpenPromises } from "./open-promises.js";
import type { CallPlan } from "./plan.js";
import type { World } from "./world.js";

/** The application's own header, by which the simulation knows a call on the wire. */
export const CALL_HEADER = "simulated-call";

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
  /** Started calls, and who made them, by what they are called on the wire. */
  readonly #wireNames = new Map<string, { readonly call: number; readonly process: string }>();
  readonly #illnesses = new Illnesses();
  #lastChangeMs = 0;
  #readCount = 0;
  readonly #running = new Map<number, { readonly process: string; readonly isOneWay: boolean }>();
  readonly #held = new HeldRequests();
  /** By process and call: the Resume that was answered last. */
  readonly #answered = new Map<string, string>();
  readonly #promises = new OpenPromises();
  #runs = 0;

  /** Until there is room on a link that takes one frame at a time, behind what waits there already. */
  readonly #roomMs: number;

  /** `maxLatencyMs`: of a frame on its way. */
  constructor(world: World, maxLatencyMs: number) {
    this.#roomMs = 100 + 3 * maxLatencyMs;
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

  /** Whether one of them works on for nobody, as it was asked to. */
  get hasOneWay(): boolean {
    for (const { isOneWay } of this.#running.values()) if (isOneWay) return true;
    return false;
  }

  /** Remembers the promise until it settles. */
  track<T>(process: string, name: string, promise: Promise<T>): Promise<T> {
    return this.#promises.track(process, name, promise);
  }

  noteUnsettled(isExpected: (process: string) => boolean): void {
    for (const { process, promise } of this.#promises) {
      if (isExpected(process)) this.note({ type: "unsettled", process, promise });
    }
  }

  callStarted(process: string, plan: CallPlan): void {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "call", call: plan.number, process, plan });
    this.#live.set(plan.number, { plan, process, servers: new Set() });
    if (isReading(plan)) this.#readCount += 1;
    this.#harmBy(process, plan);
  }

  callSettled(call: number, outcome: string, message: string | undefined): void {
    this.note({ type: "settled", call, outcome, message });
  }

  callEnded(call: number, outcome: string, told: string, message: string | undefined): void {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "ended", call, outcome, told, message });
    this.#forget(call);
  }

  runStarted(start: Omit<FactOf<"run">, "type" | "run">, isOneWay: boolean): number {
    this.#lastChangeMs = this.#world.elapsedMs;
    this.#runs += 1;
    const run = this.#runs;
    this.#running.set(run, { process: start.process, isOneWay });
    this.note({ type: "run", run, ...start });
    return run;
  }

  runOver(run: number): void {
    if (!this.#running.delete(run)) return;
    this.#lastChangeMs = this.#world.elapsedMs;
    this.note({ type: "run-over", run });
  }

  harm(call: number, harm: Harm): void {
    this.note({ type: "harm", call, harm });
  }

  /** All calls that were made there, and those that are made while it is not well. */
  harmClient(process: string, harm: Harm, forMs: number): void {
    this.#fallIll(process, harm, forMs, NOBODY);
    for (const { plan, process: client } of this.#live.values()) if (client === process) this.harm(plan.number, harm);
  }

  /** All calls that were handed to it, and those that are while it is not well. */
  harmServer(process: string, harm: Harm, forMs: number, spare: Spare = NOBODY): void {
    this.#fallIll(process, harm, forMs, spare);
    for (const { plan, servers } of this.#live.values()) {
      if (servers.has(process) && !spare(plan)) this.harm(plan.number, harm);
    }
  }

  died(process: string): void {
    this.note({ type: "died", process });
    for (const [call, { process: client }] of this.#live) if (client === process) this.#forget(call);
    for (const [run, { process: server }] of this.#running) if (server === process) this.runOver(run);
  }

  /** How many requests of each sink a process may hold. */
  setConcurrency(process: string, concurrency: Concurrency): void {
    this.#held.setConcurrency(process, concurrency);
  }

  onReturned(process: string, from: QueueLane, count: number): void {
    this.#held.add(process, from, -count);
  }

  onDelivery(process: string, from: QueueLane, correlationId: string | undefined): void {
    const held = this.#held.add(process, from, 1);
    if (held !== undefined) this.note(held);
    const { call } = this.#wireNames.get(correlationId ?? "") ?? {};
    if (call === undefined) return;
    const live = this.#live.get(call);
    live?.servers.add(process);
    if (live !== undefined) this.#harmBy(process, live.plan);
  }

  onAck(process: string, correlationId: string | undefined): void {
    const { call } = this.#wireNames.get(correlationId ?? "") ?? {};
    if (call !== undefined) this.note({ type: "acked", call, process });
  }

  onSent(process: string, { type, correlationId = "", headers, body, replyTo }: WireMessage): void {
    if (type === FRAME.signal || type === FRAME.channelRequest) {
      const call = Number(headers[CALL_HEADER]);
      if (!Number.isInteger(call)) return;
      // One that is put back has a maker already.
      const known = this.#wireNames.get(correlationId) ?? { call, process };
      this.#wireNames.set(correlationId, known);
      const isOwn = known.process === process && this.#live.get(call)?.process === process;
      if (isOwn && replyTo !== undefined) {
        this.note({ type: "requested", call, process, inbox: replyTo, isUpload: type === FRAME.channelRequest });
      }
      return;
    }
    const { call, process: maker } = this.#wireNames.get(correlationId) ?? {};
    if (call === undefined) return;
    if (type === FRAME.abort) this.note({ type: "given-up", call });
    const counter = numberIn(headers, FRAME_HEADER.resume, 1);
    if (type === FRAME.resume) {
      const inbox = headers[FRAME_HEADER.inbox] ?? "";
      const received = numberIn(headers, FRAME_HEADER.received) ?? -1;
      if (this.#ownCall(process, correlationId) === undefined) return;
      this.note({ type: "resumed", call, process, inbox, counter: counter ?? 0, received });
      return;
    }
    // Of a call that is only passed on there, too, answers travel.
    if (counter !== undefined && this.#live.get(call)?.process === maker) {
      this.#noteAnswer({ process, call, counter, isError: type === FRAME.error });
    }
    if (type !== FRAME.response && type !== FRAME.fragment) return;
    if (headers[FRAME_HEADER.node] === undefined) {
      if (this.#ownCall(process, correlationId) !== undefined) this.note({ type: "uploaded", call });
      return;
    }
    const sequence = Number(headers[FRAME_HEADER.sequence] ?? 0);
    const hasFlowControl = headers[FRAME_HEADER.version] === "V5";
    const wireRun = `${correlationId} ${headers[FRAME_HEADER.run] ?? ""}`;
    const piece = numberIn(headers, FRAME_HEADER.fragment);
    this.note({ type: "sent", call, process, wireRun, sequence, piece, bytes: body.byteLength, hasFlowControl });
  }

  onArrived(process: string, { type: frame = "", correlationId = "", headers, body }: WireMessage): void {
    const server = headers[FRAME_HEADER.node];
    if (server === undefined) return;
    if (frame === FRAME.alive) {
      this.#noteAlive(process, server, body);
      return;
    }
    const call = this.#ownCall(process, correlationId);
    if (call === undefined) return;
    this.note({
      type: "arrived",
      call,
      process,
      server,
      frame,
      version: headers[FRAME_HEADER.version] ?? "V4",
      counter: numberIn(headers, FRAME_HEADER.resume) ?? 0,
      run: headers[FRAME_HEADER.run],
      bytes: body.byteLength,
      sequence: numberIn(headers, FRAME_HEADER.sequence, 1),
      piece: numberIn(headers, FRAME_HEADER.fragment),
      pieces: numberIn(headers, FRAME_HEADER.fragments),
      total: numberIn(headers, FRAME_HEADER.totalResponses),
      aliveMs: numberIn(headers, FRAME_HEADER.aliveMs),
      extendMs: numberIn(headers, FRAME_HEADER.extendMs),
      isRefusal: headers[FRAME_HEADER.refused] === "true",
    });
  }

  onHeard(process: string, { type, correlationId = "", headers }: WireMessage): void {
    const made = this.#wireNames.get(correlationId);
    const consumed = numberIn(headers, FRAME_HEADER.consumed);
    const counter = numberIn(headers, FRAME_HEADER.resume, 1);
    if (type === FRAME.resume && made !== undefined && counter !== undefined) {
      const isOwn = this.#live.get(made.call)?.process === made.process;
      if (isOwn) this.note({ type: "resume-heard", call: made.call, process, counter, roomMs: this.#roomMs });
    }
    // A Resume tells it, too.
    const tells = type === FRAME.credit || type === FRAME.resume;
    if (!tells || made === undefined || consumed === undefined) return;
    this.note({ type: "credited", call: made.call, process, client: made.process, consumed });
  }

  onInboxGone(process: string, inbox: string): void {
    this.note({ type: "inbox-gone", process, inbox });
  }

  onInboxLive(process: string, inbox: string): void {
    this.note({ type: "inbox-live", process, inbox });
  }

  onFrameLost(process: string, { type, correlationId = "", body }: WireMessage): void {
    const isAlive = type === FRAME.alive;
    const ids = isAlive ? (decodeAlive(body)?.calls ?? []).map(({ id }) => id) : [correlationId];
    for (const id of ids) {
      const call = this.#ownCall(process, id);
      if (call !== undefined) this.note({ type: "frame-lost", call, isAlive });
    }
  }

  #noteAnswer(answer: Omit<FactOf<"answered">, "type">): void {
    const { process, call, counter, isError } = answer;
    const key = `${process} ${call}`;
    const told = `${counter} ${isError}`;
    if (this.#answered.get(key) === told) return;
    this.#answered.set(key, told);
    this.note({ type: "answered", ...answer });
  }

  #noteAlive(process: string, server: string, body: Uint8Array): void {
    const { intervalMs = 0, calls = [] } = decodeAlive(body) ?? {};
    for (const { id, sequence, isOver } of calls) {
      const call = this.#ownCall(process, id);
      if (call === undefined) continue;
      this.note({ type: "alive", call, process, server, intervalMs, sequence, isOver });
    }
  }

  /** A call that an application made in this process; not one that is only passed on there. */
  #ownCall(process: string, correlationId: string): number | undefined {
    const made = this.#wireNames.get(correlationId);
    if (made?.process !== process) return undefined;
    return this.#live.get(made.call)?.process === process ? made.call : undefined;
  }

  #forget(call: number): void {
    const live = this.#live.get(call);
    if (live === undefined) return;
    this.#live.delete(call);
    if (isReading(live.plan)) this.#readCount -= 1;
  }

  #harmBy(process: string, plan: CallPlan): void {
    for (const harm of this.#illnesses.harmsOf(process, plan, this.#world.elapsedMs)) this.harm(plan.number, harm);
  }

  #fallIll(process: string, harm: Harm, forMs: number, spare: Spare): void {
    this.#illnesses.fallIll(process, { harm, untilMs: this.#world.elapsedMs + forMs, spare });
  }
}

function isReading({ kind, reader }: CallPlan): boolean {
  return kind !== "stream" || reader.kind !== "stop";
}
