import { MessagingError } from "../../errors/messaging-error.js";
import type { ResponseMessage, ResponseStream } from "../../ports/request-sink.js";
import { invalid, isCount } from "../options.js";
import type { CallerContext } from "./caller-context.js";

/** Reads what came to a caller's context. */
export class ResponseReader<Res> implements ResponseStream<Res> {
  readonly #context: CallerContext<Res>;

  constructor(context: CallerContext<Res>) {
    this.#context = context;
  }

  get callId(): string {
    return this.#context.callId;
  }

  get ended(): Promise<void> {
    return this.#context.ended;
  }

  abort(): void {
    this.#context.discard(new MessagingError("ABORTED", "call: aborted by its caller"));
  }

  async batch({ max, waitMs }: { readonly max: number; readonly waitMs: number }): Promise<ResponseMessage<Res>[]> {
    const context = this.#context;
    const { window } = context;
    if (!isCount(max, 1) || max > window)
      throw invalid([`batch: max must be a whole number from 1 to ${window}, the window`]);
    if (!(Number.isFinite(waitMs) && waitMs >= 0)) throw invalid(["batch: waitMs must be a number ≥ 0"]);
    await context.enough(max, waitMs);
    const responses: ResponseMessage<Res>[] = [];
    while (responses.length < max) {
      const response = context.take();
      if (response === undefined) break;
      responses.push(response);
    }
    if (responses.length === 0) this.#throwIfFailed();
    return responses;
  }

  [Symbol.asyncIterator](): AsyncIterator<ResponseMessage<Res>> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#leave();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    return Promise.resolve();
  }

  /** No async function: suspended, it would be a good part of what an idle call costs. */
  #next(): Promise<IteratorResult<ResponseMessage<Res>>> {
    const context = this.#context;
    const response = context.take();
    if (response !== undefined) return Promise.resolve({ done: false, value: response });
    if (context.final === undefined) return context.news().then(() => this.#next());
    const { error } = context.final;
    return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
  }

  /** Left before the end: nobody reads on. */
  #leave(): void {
    if (this.#context.final === undefined || this.#context.unread > 0) this.abort();
  }

  #throwIfFailed(): void {
    const error = this.#context.final?.error;
    if (error !== undefined) throw error;
  }
}
