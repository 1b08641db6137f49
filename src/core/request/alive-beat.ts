import type { Cancel, Clock } from "../../ports/clock.js";
import type { EndedCall } from "./ended-call.js";
import { type AliveEntry, encodeAlive, FRAME, FRAME_HEADER, JSON_TYPE } from "./frames.js";
import type { ReplySender } from "./reply-sender.js";
import type { ServerCall } from "./server-call.js";

/** Calls in one frame: what a broker with small messages takes, too. */
const MAX_ENTRIES = 500;

/** Of the beats of all servers here: one that comes back may be that of another server of the same sink. */
let beats = 0;

export interface AliveBeatOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly replies: ReplySender;
  readonly calls: ReadonlyMap<string, ServerCall>;
  /** Calls that are over, and kept. */
  readonly ended: ReadonlyMap<string, EndedCall>;
  /** Called once per interval for each call. */
  onBeat(call: ServerCall): void;
}

/** Tells each client once per interval which of its calls run here, or are kept. Beats only while there are any. */
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
    const { calls, ended, onBeat } = this.#options;
    for (const call of calls.values()) onBeat(call);
    this.#isDue = true;
    this.pump();
    if (calls.size + ended.size > 0) this.start();
  }

  /** Sends what is due if there is room; otherwise the newest waits for it, ahead of all responses. */
  pump(): void {
    if (!this.#isDue || !this.#options.replies.frames.hasRoom) return;
    this.#isDue = false;
    const { calls, ended } = this.#options;
    beats += 1;
    const alive = `alive-${beats}`;
    const byInbox = new Map<string, AliveEntry[]>();
    for (const call of calls.values()) {
      const { inbox, isCut } = call.frames;
      if (inbox !== undefined && !isCut && call.request.version === "V5") add(byInbox, inbox, call.aliveEntry(alive));
    }
    for (const { frames } of ended.values()) {
      if (frames.inbox !== undefined && !frames.isCut) add(byInbox, frames.inbox, frames.aliveEntry(alive, false));
    }
    for (const [inbox, entries] of byInbox) this.#send(alive, inbox, entries);
  }

  #send(messageId: string, inbox: string, entries: readonly AliveEntry[]): void {
    const { intervalMs, replies } = this.#options;
    for (let from = 0; from < entries.length; from += MAX_ENTRIES) {
      replies.send(inbox, {
        messageId,
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

function add(byInbox: Map<string, AliveEntry[]>, inbox: string, entry: AliveEntry): void {
  const entries = byInbox.get(inbox);
  if (entries === undefined) byInbox.set(inbox, [entry]);
  else entries.push(entry);
}
