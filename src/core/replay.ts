import type { DriverStore, QueueSpec, StoredMessageView, StoredMove, WireMessage } from "../driver/driver.js";
import { DEAD_QUEUE_HEADER } from "../driver/reserved-headers.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { CheckedReplay } from "./check-selection.js";
import { matcher, toReplayedMessage } from "./inspected-message.js";
import type { OperatorCall } from "./operator-call.js";
import { checkName } from "./options.js";
import { queueSpec } from "./queue-spec.js";
import { TakenMessages } from "./taken-messages.js";

const PUBLISH_TIMEOUT_MS = 30_000;
/** What a store is asked for, and moves, at once. */
const PAGE = 100;
/** A store may have to write anew what it moves, bodies included. */
const PAGE_BYTES = 8 * 1024 * 1024;
/** What says of no queue that it came from there, and so comes up with each page again. */
const MAX_LEFT = 10_000;

interface SizedMove extends StoredMove {
  readonly messageId: string;
  readonly bodyBytes: number;
}

/**
 * Moves messages: by a store in one transaction; otherwise one by one, published, confirmed, removed, so that at most one is
 * in both queues, whatever happens.
 */
export class Replay {
  readonly #call: OperatorCall;
  readonly #spec: QueueSpec;
  readonly #options: CheckedReplay;
  #moved = 0;
  #nextAt = 0;
  /** Selected, but where to is not known. */
  readonly #left: string[] = [];

  constructor(call: OperatorCall, spec: QueueSpec, options: CheckedReplay) {
    this.#call = call;
    this.#spec = spec;
    this.#options = options;
  }

  /** Rejects with an error that says how many were moved before. */
  async run(store: DriverStore | undefined): Promise<number> {
    try {
      await (store === undefined ? this.#byTaking() : this.#byStore(store));
      if (this.#left.length > 0 && this.#moved < this.#options.selection.limit) throw this.#untold();
      return this.#moved;
    } catch (error) {
      if (this.#moved === 0) throw error;
      const { code, message, retryable } = this.#call.context.driver.toMessagingError(error);
      throw new MessagingError(code, `${message} (${this.#moved} had been moved)`, { cause: error, retryable });
    }
  }

  async #byTaking(): Promise<void> {
    const { limit } = this.#options.selection;
    const isSelected = matcher(this.#options.selection);
    const taken = new TakenMessages(this.#call, this.#spec);
    try {
      while (this.#moved < limit) {
        await this.#pace();
        const delivery = await taken.next();
        if (delivery === undefined) return;
        const { message } = delivery;
        const to = isSelected(message) ? this.#targetOf(message) : undefined;
        if (to === undefined) {
          taken.keep({ withBody: false });
        } else {
          if (!this.#mayMoveTo(to)) throw this.#denied(message.messageId, to);
          await this.#publish(to, message);
          await taken.remove();
          this.#count();
        }
      }
    } finally {
      await taken.giveBack();
    }
  }

  async #byStore(store: DriverStore): Promise<void> {
    const { selection, ratePerSecond } = this.#options;
    while (this.#moved < selection.limit) {
      const limit = Math.min(PAGE, selection.limit - this.#moved) + this.#left.length;
      const page = await this.#call.askInSteps((_, signal) =>
        store.browse(this.#spec, { ...selection, limit, signal, withBodies: false }),
      );
      this.#left.length = 0;
      const moves = page.flatMap((view) => this.#moveOf(view) ?? []);
      for (let index = 0; index < moves.length && this.#moved < selection.limit; ) {
        await this.#pace();
        const most = ratePerSecond === undefined ? Math.min(PAGE, selection.limit - this.#moved) : 1;
        const some = firstOf(moves, index, most);
        const denied = some.findIndex(({ to }) => !this.#mayMoveTo(to.name));
        const allowed = denied < 0 ? some : some.slice(0, denied);
        if (allowed.length > 0) await this.#move(store, allowed);
        const next = some[allowed.length];
        if (next !== undefined) throw this.#denied(next.messageId, next.to.name);
        index += some.length;
      }
      if (moves.length === 0 || page.length < limit || this.#left.length > MAX_LEFT) return;
    }
  }

  #moveOf({ key, message, bodyBytes }: StoredMessageView): SizedMove | undefined {
    const name = this.#targetOf(message);
    if (name === undefined) return undefined;
    const { capabilities } = this.#call.context.driver;
    const { headers } = toReplayedMessage(message, capabilities);
    return { key, messageId: message.messageId, to: queueSpec(name, capabilities), headers, bodyBytes };
  }

  /** What somebody else has moved or taken meanwhile does not count. */
  async #move(store: DriverStore, moves: readonly StoredMove[]): Promise<void> {
    const before = this.#moved;
    const moved = await this.#call.askInSteps(
      () => store.move(this.#spec, moves),
      (late) => {
        this.#moved += late;
      },
    );
    this.#moved += moved;
    for (let count = before + 1; count <= this.#moved; count += 1) this.#options.onMoved?.(count);
  }

  /** Where to; undefined for one that does not say, which is noted. */
  #targetOf(message: WireMessage): string | undefined {
    const to = this.#options.to ?? message.headers[DEAD_QUEUE_HEADER];
    if (to !== undefined && to !== this.#spec.name && isName(to)) return to;
    this.#left.push(message.messageId);
    return undefined;
  }

  /** Asked just before the move: what somebody may do can change while a long replay runs. */
  #mayMoveTo(queue: string): boolean {
    const { mayMoveTo } = this.#options;
    return mayMoveTo === undefined || mayMoveTo(queue);
  }

  #denied(messageId: string, to: string): MessagingError {
    const text = `${this.#call.what}: ${messageId} would go to ${to}, which is not allowed`;
    return new MessagingError("PERMISSION_DENIED", text);
  }

  async #publish(to: string, message: WireMessage): Promise<void> {
    const { context, signal, over } = this.#call;
    const { capabilities } = context.driver;
    const queue = queueSpec(to, capabilities);
    await context.outbox.publish({ kind: "queue", queue }, toReplayedMessage(message, capabilities), {
      what: `${this.#call.what}: publish of ${message.messageId} to ${to}`,
      timeoutMs: PUBLISH_TIMEOUT_MS,
      signal,
      resend: true,
      ended: over,
    });
  }

  #count(): void {
    this.#moved += 1;
    this.#options.onMoved?.(this.#moved);
  }

  /** Waits until the rate allows another. */
  async #pace(): Promise<void> {
    const { ratePerSecond } = this.#options;
    if (ratePerSecond === undefined) return;
    const now = this.#call.context.clock.now();
    // Waited for before each but the first, and what was slow is not made up for.
    if (this.#nextAt > now) await this.#call.pause(this.#nextAt - now);
    this.#nextAt = Math.max(now, this.#nextAt) + 1_000 / ratePerSecond;
  }

  #untold(): MessagingError {
    const [first] = this.#left;
    const text = `${this.#left.length} are left, because they do not say which other queue they came from (first: ${first})`;
    return new MessagingError("INVALID_ARGUMENT", `${this.#call.what}: ${text}: name the queue with to`);
  }
}

/** Those from an index on that are moved together: at least one, and up to so many. */
function firstOf(moves: readonly SizedMove[], from: number, most: number): readonly SizedMove[] {
  let end = from;
  for (let bytes = 0; end < moves.length && end - from < most && bytes < PAGE_BYTES; end += 1) {
    bytes += moves[end]?.bodyBytes ?? 0;
  }
  return moves.slice(from, end);
}

function isName(text: string): boolean {
  try {
    checkName("queue", text);
    return true;
  } catch {
    return false;
  }
}
