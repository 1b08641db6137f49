import { EndedCall, type EndedCallHost, type Waiting } from "./ended-call.js";
import type { ResponseFrames } from "./response-frames.js";
import type { ResponseBudget } from "./sent-responses.js";
import { Alarm, type SharedTimers } from "./shared-timers.js";

/** Ended calls that are kept; beyond that the oldest are dropped. */
const MAX_ENDED = 100_000;

/** What one that is kept takes, without its responses, at the most about. */
const ENTRY_BYTES = 256;

/** A call that runs. */
export interface RunningCall {
  readonly frames: ResponseFrames;
}

export interface RetentionOptions {
  readonly clock: SharedTimers;
  readonly resumeMs: number;
  readonly maxBytes: number;
  /** The calls that run. */
  readonly calls: ReadonlyMap<string, RunningCall>;
  /** Those that wait for room on the link. */
  readonly waiting: Set<Waiting>;
  /** An ended call has nothing left to be sent. */
  onProgress(): void;
}

/** What one server keeps for callers that may have missed it: responses of all calls, and the ends of those that are over. */
export class Retention extends Alarm implements ResponseBudget, EndedCallHost {
  readonly #options: RetentionOptions;
  /** The first to be forgotten first. */
  readonly #ended = new Map<string, EndedCall>();
  /** Those of them that have not been sent to their end, or whose caller has no inbox. */
  readonly #left = new Set<EndedCall>();
  #waitsForCallers = true;
  #responseBytes = 0;

  constructor(options: RetentionOptions) {
    super();
    this.#options = options;
  }

  /** However little may be kept, half of it is for responses. */
  get bytes(): number {
    return this.#responseBytes + Math.min(this.#ended.size * ENTRY_BYTES, this.#options.maxBytes / 2);
  }

  /** Ended calls that a drain waits for. */
  get left(): number {
    return this.#left.size;
  }

  get ended(): ReadonlyMap<string, EndedCall> {
    return this.#ended;
  }

  count(bytes: number): void {
    this.#responseBytes += bytes;
    if (bytes > 0) this.#shrink();
  }

  now(): number {
    return this.#options.clock.now();
  }

  onChange(call: EndedCall): void {
    const { isHeldUp, isCut } = call.frames;
    if (isHeldUp) this.#options.waiting.add(call);
    if (isHeldUp || (isCut && this.#waitsForCallers)) this.#left.add(call);
    else if (this.#left.delete(call)) this.#options.onProgress();
  }

  /** The time of a drain is over: who has no inbox is not waited for. */
  interrupt(): void {
    this.#waitsForCallers = false;
    for (const call of [...this.#left]) this.onChange(call);
  }

  /** The call is over, and what it has said may have to be said again. */
  keep(frames: ResponseFrames): void {
    const { clock, resumeMs } = this.#options;
    const { id } = frames.request;
    this.release(id);
    const call = new EndedCall(frames, this);
    this.#ended.set(id, call);
    this.#shrink();
    if (this.index < 0) clock.set(this, call.endedAt + resumeMs);
    if (this.#ended.size <= MAX_ENDED) return;
    const [oldest] = this.#ended.keys();
    if (oldest !== undefined) this.release(oldest);
  }

  /** Its caller has all of it, or wants none. */
  release(id: string): void {
    const call = this.#ended.get(id);
    if (call === undefined) return;
    this.#ended.delete(id);
    this.#options.waiting.delete(call);
    call.frames.sent.clear();
    if (this.#ended.size === 0) this.#options.clock.clear(this);
    if (this.#left.delete(call)) this.#options.onProgress();
  }

  clear(): void {
    for (const id of [...this.#ended.keys()]) this.release(id);
  }

  ring(): void {
    const { clock, resumeMs } = this.#options;
    const now = clock.now();
    for (const [id, { endedAt }] of this.#ended) {
      if (now < endedAt + resumeMs) {
        clock.set(this, endedAt + resumeMs);
        return;
      }
      this.release(id);
    }
  }

  /**
   * The largest first. Below the bound by an eighth, so that a server that is always at its bound does not look through
   * all its calls for each response.
   */
  #shrink(): void {
    const { calls, maxBytes } = this.#options;
    if (this.#responseBytes === 0 || this.bytes <= maxBytes) return;
    const all = [...calls.values(), ...this.#ended.values()].filter(({ frames }) => frames.sent.keptBytes > 0);
    all.sort((one, other) => other.frames.sent.keptBytes - one.frames.sent.keptBytes);
    for (const { frames } of all) {
      if (this.bytes <= maxBytes - maxBytes / 8) return;
      frames.sent.drop(frames.whole);
    }
  }
}
