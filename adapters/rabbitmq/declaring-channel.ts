import { MessagingError } from "../../src/errors/messaging-error.js";
import type { AmqpChannel } from "./amqp.js";
import type { Link } from "./link.js";

/** The longest that an action holds up the next one while nothing of it is answered. */
const MOST_ALONE_MS = 1_000;
/** A link that leaves more than so many actions unanswered is of no use any more. */
const MOST_ABANDONED = 64;

interface DeclaringOptions {
  /** What it is about: while an action about it has been given up and is not answered, another is refused at once. */
  readonly subject?: string | undefined;
}

type Action<T> = (channel: AmqpChannel) => Promise<T>;

/**
 * The channel on which queues and exchanges are declared, one action at a time: a declaration that the broker refuses
 * closes its channel, and must take nothing else with it. One that the broker does not answer, as it may while a quorum
 * queue has no majority, is soon left to a channel that nothing else waits for.
 */
export class DeclaringChannel {
  readonly #link: Link;
  readonly #timeoutMs: number;
  #channel: AmqpChannel | undefined;
  #last: Promise<void> = Promise.resolve();
  #abandoned = 0;
  readonly #unanswered = new Set<string>();

  /**
   * `timeoutMs`: the longest that an action may wait for its next answer: one of many steps, or over a slow link, takes its
   * time. A link that is blocked has more.
   */
  constructor(link: Link, timeoutMs: number) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Rejects with what the action rejects with, or with `UNAVAILABLE` once its time is over. Opens the channel anew when the last
   * action cost it.
   */
  run<T>(action: Action<T>, { subject }: DeclaringOptions = {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#last = this.#last.then(() => {
        if (subject === undefined || !this.#unanswered.has(subject))
          return this.#begin(action, subject, resolve, reject);
        reject(unanswered("an earlier declaration of the same"));
      });
    });
  }

  /** Resolves when the next one may begin. */
  #begin<T>(
    action: Action<T>,
    subject: string | undefined,
    resolve: (result: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    const timeoutMs = this.#timeoutMs;
    return new Promise((next) => {
      let used: AmqpChannel | undefined;
      let isAlone = false;
      let isGivenUp = false;
      let isOver = false;
      let forgetLeaving = (): void => {};
      let forgetEnd = (): void => {};
      const forget = (): void => {
        forgetLeaving();
        forgetEnd();
      };
      const awaitAnswer = (): void => {
        forget();
        if (isGivenUp || isOver) return;
        if (!isAlone) forgetLeaving = this.#after(Math.min(MOST_ALONE_MS, timeoutMs), leave);
        forgetEnd = this.#after(timeoutMs, giveUp);
      };
      const act = async (): Promise<T> => {
        awaitAnswer();
        used = this.#channel ?? (await this.#open());
        if (isGivenUp) throw unanswered("the opening of a channel");
        if (!isAlone) this.#channel = used;
        awaitAnswer();
        return action(tellingOfAnswers(used, awaitAnswer));
      };
      const leave = (): void => {
        isAlone = true;
        this.#channel = undefined;
        next();
      };
      const giveUp = (): void => {
        isGivenUp = true;
        this.#abandon(acting, subject);
        reject(unanswered(`a declaration within ${timeoutMs} ms`));
      };
      const acting = act();
      const over = (): void => {
        isOver = true;
        forget();
        if (isAlone) used?.close().catch(() => {});
        next();
      };
      acting.then(resolve, reject).finally(over);
    });
  }

  #abandon(acting: Promise<unknown>, subject: string | undefined): void {
    this.#abandoned += 1;
    if (subject !== undefined) this.#unanswered.add(subject);
    const answered = (): void => {
      this.#abandoned -= 1;
      if (subject !== undefined) this.#unanswered.delete(subject);
    };
    acting.then(answered, answered);
    if (this.#abandoned > MOST_ABANDONED) this.#link.lose(unanswered(`${this.#abandoned} declarations`));
  }

  /** Nothing is answered on a blocked link, and whoever waits for that has a limit of its own. Returns how to forget it. */
  #after(ms: number, action: () => void): () => void {
    const timeIsUp = (): void => {
      if (this.#link.blocked && !this.#link.over) timer = setTimeout(timeIsUp, ms);
      else action();
    };
    let timer = setTimeout(timeIsUp, ms);
    return () => clearTimeout(timer);
  }

  async #open(): Promise<AmqpChannel> {
    const channel = await this.#link.createChannel();
    channel.on("error", () => {});
    channel.on("close", () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    return channel;
  }
}

/** The same channel, which calls `onAnswer` for each answer of the broker's to what is asked through it. */
function tellingOfAnswers(channel: AmqpChannel, onAnswer: () => void): AmqpChannel {
  return new Proxy(channel, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member, target, args);
        if (result instanceof Promise) result.then(onAnswer, onAnswer);
        return result;
      };
    },
  });
}

function unanswered(what: string): MessagingError {
  return new MessagingError("UNAVAILABLE", `the broker did not answer ${what}`);
}
