import { MessagingError } from "../../../src/errors/messaging-error.js";
import type { Clock } from "../../../src/ports/clock.js";
import type { Caller } from "../security/caller.js";
import type { Admission, NotAdmitted } from "../security/guard-options.js";
import { addressKey } from "./address-key.js";
import { type ClientAccount, ClientAccounts, type ClientLimits } from "./client-accounts.js";

const SUBSCRIBE_PATHS: ReadonlySet<string> = new Set([
  "/queue.QueueApi/SubscribeEvents",
  "/fairlead.v1.Events/Subscribe",
]);
/** What a stream of posts brings is counted event by event, and slowed down instead. */
const POST_PATHS: ReadonlySet<string> = new Set(["/queue.QueueApi/PostEvent", "/fairlead.v1.Events/Post"]);

/** Whether a client may begin one more call: by what it has open, and by its rates. */
export class CallAdmission implements Admission {
  readonly #limits: ClientLimits;
  readonly #accounts: ClientAccounts;
  readonly #clock: Clock;

  constructor(limits: ClientLimits, clock: Clock) {
    this.#limits = limits;
    this.#accounts = new ClientAccounts(limits);
    this.#clock = clock;
  }

  admit(caller: Caller, path: string): NotAdmitted | undefined {
    const now = this.#clock.now();
    const account = this.#accounts.of(keyOf(caller), now);
    const refusal = this.#refusal(account, path, now);
    if (refusal !== undefined) {
      if (account.calls === 0) this.#accounts.rest(account, now);
      return refusal;
    }
    this.#accounts.begin(account);
    if (SUBSCRIBE_PATHS.has(path)) account.subscribers += 1;
    return undefined;
  }

  ended(caller: Caller, path: string): void {
    const now = this.#clock.now();
    const account = this.#accounts.of(keyOf(caller), now);
    if (account.calls === 0) return;
    if (SUBSCRIBE_PATHS.has(path)) account.subscribers -= 1;
    this.#accounts.end(account, now);
  }

  /** Of a client that has a call open. */
  accountOf(caller: Caller): ClientAccount {
    return this.#accounts.of(keyOf(caller), this.#clock.now());
  }

  /** Clients that are remembered. */
  get size(): number {
    return this.#accounts.size;
  }

  #refusal(account: ClientAccount, path: string, now: number): NotAdmitted | undefined {
    const { maxCalls = Infinity, maxSubscribers = Infinity, calls, posts } = this.#limits;
    if (account.calls >= maxCalls) {
      return rejected(`this client has ${account.calls} calls open; at most ${maxCalls} are allowed`);
    }
    if (SUBSCRIBE_PATHS.has(path)) {
      if (account.subscribers >= maxSubscribers) {
        return rejected(`this client has ${account.subscribers} subscribers; at most ${maxSubscribers} are allowed`);
      }
      // A client that is refused subscribes again: it is held up by its own refusal, not by a rate.
      return undefined;
    }
    const callWaitMs = account.callRate?.take(now) ?? 0;
    if (callWaitMs > 0) return tooFast(`at most ${calls?.perSecond} calls a second are allowed`, callWaitMs);
    const postWaitMs = POST_PATHS.has(path) ? (account.postRate?.take(now) ?? 0) : 0;
    if (postWaitMs > 0) return tooFast(`at most ${posts?.perSecond} posts a second are allowed`, postWaitMs);
    return undefined;
  }
}

function keyOf({ name, host }: Caller): string {
  return name === undefined ? `host:${addressKey(host)}` : `name:${name}`;
}

function rejected(text: string): NotAdmitted {
  return { error: new MessagingError("REJECTED", text) };
}

function tooFast(reason: string, retryInMs: number): NotAdmitted {
  return { error: new MessagingError("REJECTED", `${reason}; try again in ${retryInMs} ms`), retryInMs, reason };
}
