import { MessagingError } from "../../src/errors/messaging-error.js";
import type { FaultyEnd } from "./faulty-driver-options.js";
import { Line } from "./line.js";

/** What waits for an answer of the broker. */
interface Question {
  /** On which the answer comes. */
  readonly back: Line | undefined;
  fail(error: MessagingError): void;
}

/** The lines of one connection, and all that waits for an answer on them. */
export class FaultyWire {
  /** Answers that have no line of their own, and what the broker says unasked. */
  readonly news: Line;
  readonly #driver: FaultyEnd;
  readonly #lines = new Set<Line>();
  readonly #questions = new Set<Question>();
  #frozenUntil = 0;
  #lost: MessagingError | undefined;

  constructor(driver: FaultyEnd) {
    this.#driver = driver;
    this.news = this.line();
  }

  /** The application knows that it is over. */
  get lost(): MessagingError | undefined {
    return this.#lost;
  }

  /** Nothing is told to the application any more. */
  get isSilent(): boolean {
    return this.#driver.isDead || this.#lost !== undefined;
  }

  line(): Line {
    const line = new Line(this.#driver.options.world, this.#driver.latencyMs, this.#frozenUntil);
    this.#lines.add(line);
    return line;
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#driver.options.world.now + ms);
    for (const line of this.#lines) line.freezeUntil(this.#frozenUntil);
  }

  tell(news: () => void): void {
    this.news.push(() => {
      if (!this.isSilent) news();
    });
  }

  afterwards(ms: number, action: () => void): void {
    this.#driver.options.world.after(ms, () => {
      if (!this.isSilent) action();
    });
  }

  /** A round trip: there on one line, the answer back on another. Rejects when the connection is lost first. */
  ask<T>(there: Line, run: () => Promise<T>, back: Line): Promise<T> {
    if (this.#driver.isDead) return never();
    if (this.#lost !== undefined) return Promise.reject(this.#lost);
    return new Promise<T>((resolve, reject) => {
      const question: Question = { back, fail: reject };
      this.#questions.add(question);
      const answer = (settle: () => void): void =>
        (back.isCut ? this.news : back).push(() => {
          if (this.#questions.delete(question)) settle();
        });
      there.push(() => {
        run().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      });
    });
  }

  /** Resolves when `register`ed action is called; rejects when the connection is lost first. */
  wait(register: (resolve: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const question: Question = { back: undefined, fail: reject };
      this.#questions.add(question);
      register(() => {
        this.#questions.delete(question);
        resolve();
      });
    });
  }

  /** What waits for an answer on this line is told that there will be none. */
  cut(line: Line): void {
    line.cut();
    this.#lines.delete(line);
    for (const question of this.#questions) {
      if (question.back !== line) continue;
      this.#questions.delete(question);
      question.fail(new MessagingError("UNAVAILABLE", "lost meanwhile"));
    }
  }

  /** Its work is done. */
  forget(line: Line): void {
    this.#lines.delete(line);
  }

  /** What is under way is lost; the application is yet to be told. */
  cutAll(): void {
    for (const line of this.#lines) line.cut();
  }

  end(error: MessagingError): void {
    this.#lost = error;
    this.cutAll();
    this.#lines.clear();
    if (!this.#driver.isDead) for (const question of this.#questions) question.fail(error);
    this.#questions.clear();
  }
}

export function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}
