import type { EventsClient } from "../../adapters/grpc/index.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { LoadLedger } from "./load-ledger.js";
import { LoadPace } from "./load-pace.js";
import { toLoadToken } from "./load-token.js";
import { sleep } from "./sleep.js";

export interface LoadPosterOptions {
  /** Take turns. */
  readonly clients: readonly EventsClient[];
  readonly ledger: LoadLedger;
  /** Of whom the tokens are. */
  readonly run: string;
  readonly rate: number;
  readonly warmupMs: number;
  readonly sizeBytes: number;
  /** Ends it: nothing more begins; what is under way is finished. */
  readonly stop: AbortSignal;
  /** Ends what is under way too. */
  readonly giveUp: AbortSignal;
  onRefused(error: MessagingError): void;
}

const TICK_MS = 10;
const MAX_UNDER_WAY = 1_000;
/** A server knows the id of a post for ten minutes: after that, a try could store the event a second time. */
const SAME_ID_MS = 540_000;

/** Posts at a rate, each event under one id for all its tries. */
export class LoadPoster {
  readonly #options: LoadPosterOptions;
  readonly #filling: string;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: LoadPosterOptions) {
    this.#options = options;
    this.#filling = ".".repeat(Math.max(0, options.sizeBytes));
  }

  /** The events from this number on. Resolves when each is posted, refused or given up. Never rejects. */
  async post(first: number, events: number): Promise<void> {
    const { stop, giveUp, ...ramp } = this.#options;
    const pace = new LoadPace(ramp);
    const startedAt = performance.now();
    for (let begun = 0; begun < events && !stop.aborted; ) {
      const due = pace.dueAt(performance.now() - startedAt);
      const count = Math.min(due, events - begun, MAX_UNDER_WAY - this.#underWay.size);
      for (let index = 0; index < count; index += 1) this.#begin(first + begun + index);
      pace.begin(count);
      begun += count;
      await sleep(TICK_MS, giveUp);
    }
    await Promise.all(this.#underWay);
  }

  #begin(number: number): void {
    const posting = this.#postOne(number).finally(() => this.#underWay.delete(posting));
    this.#underWay.add(posting);
  }

  async #postOne(number: number): Promise<void> {
    const { clients, ledger, run, giveUp, onRefused } = this.#options;
    const startedAt = performance.now();
    const token = toLoadToken({ run, postedAt: Date.now(), number });
    const body = this.#bodyOf(number);
    ledger.begin(number, startedAt);
    for (let tries = 0; ; tries += 1) {
      try {
        await clients[(number + tries) % clients.length]?.post(body, { token, postId: token, signal: giveUp });
        ledger.posted(number);
        return;
      } catch (error) {
        if (MessagingError.is(error) && isRefusal(error)) {
          ledger.refused(number);
          onRefused(error);
          return;
        }
        if (giveUp.aborted || performance.now() - startedAt > SAME_ID_MS) {
          ledger.givenUp(number);
          return;
        }
      }
    }
  }

  #bodyOf(number: number): Uint8Array {
    const text = JSON.stringify({ number, postedAt: new Date().toISOString(), filling: "" });
    const missing = this.#options.sizeBytes - text.length;
    return Buffer.from(missing <= 0 ? text : `${text.slice(0, -2)}${this.#filling.slice(0, missing)}"}`);
  }
}

const UNKNOWN_OUTCOME = new Set([
  "UNAVAILABLE",
  "TIMEOUT",
  "REJECTED",
  "UNKNOWN",
  "INTERNAL",
  "REMOTE",
  "ABORTED",
  "CLOSED",
]);

function isRefusal({ code }: MessagingError): boolean {
  return !UNKNOWN_OUTCOME.has(code);
}
