import type { NodeId } from "../ports/broadcast.js";
import type { Clock, Random } from "../ports/clock.js";
import { type Deferred, deferred } from "../util/deferred.js";
import type { ControlChannel } from "./control-channel.js";
import type { ControlMessage } from "./control-message.js";
import { within } from "./within.js";

export interface EnquiriesOptions {
  readonly channel: ControlChannel;
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalMs: number;
}

type Enquiry = Extract<ControlMessage, { readonly id: string; readonly from: NodeId }>;

/** Each is sent again and again: beyond this, none is begun. */
const MAX_ENQUIRIES = 10_000;

/** What has been asked of other servers and is not answered yet. A broadcast may get lost, so each is repeated. */
export class Enquiries {
  readonly #options: EnquiriesOptions;
  readonly #open = new Map<string, Deferred<string | undefined>>();

  constructor(options: EnquiriesOptions) {
    this.#options = options;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  /** Resolves with the first answer, or with undefined when none has come in time. Never rejects. */
  async ask(
    write: (id: string, ageMs: number) => Enquiry,
    { node, limitMs }: { readonly node: NodeId | undefined; readonly limitMs: number },
  ): Promise<string | undefined> {
    const { channel, clock, random } = this.#options;
    if (this.#open.size >= MAX_ENQUIRIES) return undefined;
    const id = random.uuid();
    const askedAt = clock.now();
    const answer = deferred<string | undefined>();
    const over = new AbortController();
    this.#open.set(id, answer);
    // Before it is heard, an answer would be lost.
    const forget = channel.listen(() => {
      void this.#repeat(() => write(id, Math.max(0, clock.now() - askedAt)), node, answer, over.signal);
    });
    const outcome = await within(clock, limitMs, answer.promise);
    forget();
    this.#open.delete(id);
    answer.resolve(undefined);
    over.abort();
    return outcome;
  }

  answered(id: string, outcome: string): void {
    this.#open.get(id)?.resolve(outcome);
  }

  /** No answer can come any more. */
  close(): void {
    for (const answer of this.#open.values()) answer.resolve(undefined);
  }

  async #repeat(
    write: () => Enquiry,
    node: NodeId | undefined,
    answer: Deferred<string | undefined>,
    over: AbortSignal,
  ): Promise<void> {
    const { channel, clock, intervalMs } = this.#options;
    while (!answer.settled && !channel.isClosed) {
      const sent = channel.send(write(), node, over);
      await Promise.all([sent, within(clock, intervalMs, answer.promise)]);
    }
    if (channel.isClosed) answer.resolve(undefined);
  }
}
