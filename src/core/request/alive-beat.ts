import type { Cancel, Clock } from "../../ports/clock.js";
import { type AliveEntry, encodeAlive, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { ReplySender } from "./reply-sender.js";
import type { ServerCall } from "./server-call.js";

/** Calls in one frame: what a broker with small messages takes, too. */
const MAX_ENTRIES = 500;

export interface AliveBeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly replies: ReplySender;
  readonly calls: ReadonlyMap<string, ServerCall>;
  /** Called once per interval for each call. */
  onBeat(call: ServerCall): void;
}

/** Tells each client once per interval which of its calls run here. Beats only while there are any. */
export class AliveBeat {
  readonly #options: AliveBeatOptions;
  #timer: Cancel | undefined;
  #isDue = false;

  constructor(options: AliveBeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, intervalMs } = this.#options;
    this.#timer ??= clock.setTimer(intervalMs, () => this.#beat());
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  #beat(): void {
    this.#timer = undefined;
    const { calls, onBeat } = this.#options;
    for (const call of calls.values()) onBeat(call);
    this.#isDue = true;
    this.pump();
    if (calls.size > 0) this.start();
  }

  /** Sends what is due if there is room; otherwise the newest waits for it, ahead of all responses. */
  pump(): void {
    if (!this.#isDue || !this.#options.replies.frames.hasRoom) return;
    this.#isDue = false;
    const byInbox = new Map<string, AliveEntry[]>();
    for (const call of this.#options.calls.values()) {
      const { replyTo, version } = call.request;
      if (replyTo === undefined || version === "V4") continue;
      const entries = byInbox.get(replyTo);
      if (entries === undefined) byInbox.set(replyTo, [call.aliveEntry]);
      else entries.push(call.aliveEntry);
    }
    for (const [inbox, entries] of byInbox) this.#send(inbox, entries);
  }

  #send(inbox: string, entries: readonly AliveEntry[]): void {
    const { intervalMs, replies } = this.#options;
    for (let from = 0; from < entries.length; from += MAX_ENTRIES) {
      replies.send(inbox, {
        type: FRAME.alive,
        // If it comes back, this says whose calls are over.
        correlationId: inbox,
        headers: { [FRAME_HEADER.version]: "V5" },
        contentType: JSON_TYPE,
        body: encodeAlive({ intervalMs, calls: entries.slice(from, from + MAX_ENTRIES) }),
      });
    }
  }
}
