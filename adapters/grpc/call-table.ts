import { MessagingError } from "../../src/errors/messaging-error.js";
import { machineClock } from "../../src/util/machine-clock.js";

/** What a table knows of a call. */
export interface TabledCall {
  abort(error: MessagingError): void;
  sendCredit(): void;
}

/** How long a little credit may wait for more. */
const IDLE_CREDIT_MS = 10;

/** The calls of one client. */
export class CallTable {
  /** By sink and name: those whose callers wait. */
  readonly #live = new Map<string, TabledCall>();
  /** Those whose streams are open, which may be longer. */
  readonly #open = new Set<TabledCall>();
  readonly #withCredit = new Set<TabledCall>();
  #closed: MessagingError | undefined;
  #onEmpty: () => void = () => {};

  /** Throws `ALREADY_EXISTS` when a call of this name is live, and what it was closed with. */
  check(sink: string, name: string, callId: string): void {
    if (this.#closed !== undefined) throw new MessagingError("CLOSED", "the sink client is closed; make a new one");
    if (this.#live.has(keyOf(sink, name))) {
      throw new MessagingError("ALREADY_EXISTS", `a call with the callId ${JSON.stringify(callId)} is live`);
    }
  }

  add(sink: string, name: string, call: TabledCall): void {
    this.#live.set(keyOf(sink, name), call);
    this.#open.add(call);
  }

  /** Its caller has been told the end. */
  over(sink: string, name: string, call: TabledCall): void {
    const key = keyOf(sink, name);
    if (this.#live.get(key) === call) this.#live.delete(key);
    this.#withCredit.delete(call);
  }

  closed(call: TabledCall): void {
    this.#open.delete(call);
    if (this.#open.size === 0) this.#onEmpty();
  }

  abort(sink: string, callId: string, error: MessagingError): void {
    this.#live.get(keyOf(sink, callId))?.abort(error);
  }

  /** One timer for all: credit that is not urgent is told together, not response by response. */
  creditSoon(call: TabledCall): void {
    this.#withCredit.add(call);
    if (this.#withCredit.size === 1) machineClock.setTimer(IDLE_CREDIT_MS, () => this.#sendCredit());
  }

  /** Fails what is live, refuses more, and resolves when every stream is closed. */
  async close(error: MessagingError): Promise<void> {
    this.#closed = error;
    for (const call of [...this.#live.values()]) call.abort(error);
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
  }

  #sendCredit(): void {
    const calls = [...this.#withCredit];
    this.#withCredit.clear();
    for (const call of calls) call.sendCredit();
  }
}

function keyOf(sink: string, name: string): string {
  return `${sink}\n${name}`;
}
