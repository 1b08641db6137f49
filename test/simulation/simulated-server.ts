import { sinkOf } from "../../src/core/request/sink-of.js";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { RequestContext, RequestMessage, RequestSink, ResponseMessage } from "../../src/ports/request-sink.js";
import { bodyOf, isBodyOf } from "./body.js";
import { CALL_HEADER } from "./books.js";
import { BRIDGE, type CallPlan, type HandlerPlan, type ServerPlan } from "./plan.js";
import { SeededRandom } from "./seeded-random.js";
import type { SimulatedProcess } from "./simulated-process.js";

export const DEFAULT_RESUME_MS = 10_000;

/** The application's own header on responses: call, run, number within the run. */
export const RESPONSE_HEADER = "simulated-response";

/** Serves in one process; each call is handled as its plan says. */
export class SimulatedServer {
  readonly process: SimulatedProcess;
  readonly #plan: ServerPlan;
  readonly #sinks = new Map<string, RequestSink>();

  constructor(process: SimulatedProcess, plan: ServerPlan) {
    this.process = process;
    this.#plan = plan;
  }

  /** Undefined: more than is ever sent here. Each of its services has such a bound. */
  get maxRetainedBytes(): number | undefined {
    const { maxRetainedBytes } = this.#plan;
    return maxRetainedBytes === undefined ? undefined : maxRetainedBytes * this.#sinks.size;
  }

  start(): void {
    const { process } = this;
    const { books } = process.stage;
    const { sinks, isBridged } = process.stage.plan;
    for (const name of sinks) this.#sinks.set(name, this.#sink(name));
    const [first = ""] = sinks;
    if (isBridged) this.#sinks.set(BRIDGE, process.messaging.requestSink(first));
    books.setConcurrency(process.name, this.#plan.concurrency);
    for (const [name, sink] of this.#sinks) {
      const serving = process.messaging.serve(name, sink, this.#plan);
      books.track(process.name, "serve", serving).then(
        (server) => {
          books.track(process.name, "RequestServer.closed", server.closed).catch(() => undefined);
        },
        // It was closed meanwhile, or its link is down for longer than a start may take.
        () => undefined,
      );
    }
  }

  #sink(sink: string): RequestSink {
    return {
      signal: (request, context) => this.#signal(sink, request, context),
      abort: () => {},
    };
  }

  #signal(sink: string, request: RequestMessage<Uint8Array>, context: RequestContext): void {
    const { plan, books } = this.process.stage;
    const call = plan.calls[Number(request.headers?.[CALL_HEADER])];
    if (call === undefined) throw new Error("a request that nobody made");
    const isIntact =
      (call.sink === sink || call.sink === BRIDGE) &&
      isBodyOf(`request ${call.number}`, request.body, call.requestBytes);
    const run = books.runStarted(
      {
        call: call.number,
        process: this.process.name,
        sink,
        lane: call.priority,
        concurrency: this.#plan.concurrency,
        stallMs: this.#plan.stallMs,
        resumeMs: this.#plan.resumeMs ?? DEFAULT_RESUME_MS,
        // Whoever passes it on keeps what it has sent, too.
        keepsAll: (call.sink === BRIDGE ? plan.servers : [this.#plan]).every(
          ({ maxRetainedBytes }) => maxRetainedBytes === undefined,
        ),
        isUploaded: call.requestBytes > (plan.clients[call.client]?.fragmentBytes ?? 0),
        isIntact,
      },
      call.kind === "one-way",
    );
    context.signal.addEventListener("abort", () => books.runOver(run), { once: true });
    const handling = new Handling(this.process, call, run);
    switch (call.handler.style) {
      case "generator":
        sinkOf((_request: RequestMessage<Uint8Array>, seen) => handling.generate((ms) => seen.keepAlive(ms))).signal(
          request,
          context,
        );
        return;
      case "context":
      case "unawaited":
        handling.start(context);
    }
  }
}

/** One handler at work on one call. */
class Handling {
  readonly #process: SimulatedProcess;
  readonly #call: CallPlan;
  readonly #handler: HandlerPlan;
  readonly #run: number;
  readonly #random: SeededRandom;

  constructor(process: SimulatedProcess, call: CallPlan, run: number) {
    this.#process = process;
    this.#call = call;
    this.#handler = call.handler;
    this.#run = run;
    this.#random = new SeededRandom(process.stage.plan.seed, `handler ${call.number}`);
  }

  async *generate(keepAlive: (ms: number) => boolean): AsyncGenerator<ResponseMessage<Uint8Array>> {
    const { books } = this.#process.stage;
    const { responses, ending } = this.#handler;
    try {
      for (let index = 0; index < responses; index += 1) {
        await this.#pause(keepAlive);
        this.#note(index);
        yield this.#response(index);
        books.note({ type: "accepted", run: this.#run });
      }
      await this.#pause(keepAlive);
      if (ending === "hang") await new Promise(() => {});
      const failure = this.#failure();
      if (failure !== undefined) throw failure;
    } finally {
      books.runOver(this.#run);
    }
  }

  start(context: RequestContext): void {
    if (this.#handler.ending === "throw-at-once") {
      this.#process.stage.books.runOver(this.#run);
      throw this.#failure();
    }
    void this.#work(context);
  }

  async #work(context: RequestContext): Promise<void> {
    const { books } = this.#process.stage;
    const { responses, style, ending } = this.#handler;
    for (let index = 0; index < responses; index += 1) {
      await this.#pause((ms) => context.keepAlive(ms));
      const accepted = this.#respond(context, index);
      if (style === "context" && !(await accepted)) {
        // A one-way call takes no responses, and is not over for that.
        books.runOver(this.#run);
        context.end();
        return;
      }
    }
    await this.#pause((ms) => context.keepAlive(ms));
    if (ending === "hang") return;
    const failure = this.#failure();
    books.runOver(this.#run);
    if (failure === undefined) context.end();
    else
      context.fail(MessagingError.is(failure) ? failure : new MessagingError("REMOTE", "thrown", { cause: failure }));
    if (ending !== "late") return;
    await this.#pause((ms) => context.keepAlive(ms));
    await context.respond(this.#response(responses));
    context.end();
    context.fail(new MessagingError("INTERNAL", "too late"));
  }

  /** False: refused, or the call is over. Never rejects. */
  async #respond(context: RequestContext, index: number): Promise<boolean> {
    const { books } = this.#process.stage;
    this.#note(index);
    const name = `respond ${index} of call ${this.#call.number}`;
    try {
      const isOpen = await books.track(this.#process.name, name, context.respond(this.#response(index)));
      if (isOpen) books.note({ type: "accepted", run: this.#run });
      return isOpen;
    } catch {
      // More than may wait: that ends the call.
      books.note({ type: "refused", run: this.#run, index });
      books.runOver(this.#run);
      return true;
    }
  }

  #note(index: number): void {
    this.#process.stage.books.note({ type: "respond", run: this.#run, index });
  }

  #response(index: number): ResponseMessage<Uint8Array> {
    const name = `${this.#call.number}.${this.#run}.${index}`;
    const bytes = this.#random.int(0, this.#handler.maxResponseBytes);
    return { body: bodyOf(name, bytes), headers: { [RESPONSE_HEADER]: name } };
  }

  #failure(): unknown {
    const { ending, failsWith } = this.#handler;
    if (ending === "fail") return new MessagingError(failsWith, "as planned");
    return ending === "throw" || ending === "throw-at-once" ? new Error("as planned") : undefined;
  }

  async #pause(keepAlive: (ms: number) => boolean): Promise<void> {
    const { keepAliveMs, maxPauseMs } = this.#handler;
    if (keepAliveMs !== undefined) {
      this.#process.stage.books.note({ type: "kept", run: this.#run, ms: keepAliveMs });
      keepAlive(keepAliveMs);
    }
    if (maxPauseMs > 0) await this.#process.clock.sleep(this.#random.int(0, maxPauseMs));
  }
}
