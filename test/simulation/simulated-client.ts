import { MessagingError } from "../../src/errors/messaging-error.js";
import type {
  CallOptions,
  CallRequest,
  RequestContext,
  RequestSink,
  ResponseMessage,
  ResponseStream,
} from "../../src/ports/request-sink.js";
import { bodyOf, isBodyOf } from "./body.js";
import { CALL_HEADER } from "./books.js";
import { BRIDGE, type CallPlan, type ClientPlan } from "./plan.js";
import { SeededRandom } from "./seeded-random.js";
import type { SimulatedProcess } from "./simulated-process.js";
import { RESPONSE_HEADER } from "./simulated-server.js";

/** The caller reads no further: the stream stays as it is until the run's end. */
class StopsReading extends Error {}

/** Makes calls in one process, and reads them as their plans say. */
export class SimulatedClient {
  readonly process: SimulatedProcess;
  readonly #sinks: ReadonlyMap<string, RequestSink>;
  /** Resolves when those who stopped reading may give up. */
  readonly #release: Promise<void>;
  /** It insists on a version that not every server speaks. */
  readonly #mayBeUnsupported: boolean;

  constructor(process: SimulatedProcess, { protocolVersion, fragmentBytes }: ClientPlan, release: Promise<void>) {
    this.process = process;
    const { servers, sinks, isBridged } = process.stage.plan;
    this.#mayBeUnsupported = protocolVersion === "V5" && servers.some((server) => server.protocolVersion === "V4");
    const { messaging } = process;
    const options = { protocolVersion, fragmentBytes };
    this.#sinks = new Map(
      (isBridged ? [BRIDGE] : sinks).map((name) => [
        name,
        messaging.requestSink<Uint8Array, Uint8Array>(name, options),
      ]),
    );
    this.#release = release;
  }

  async call(plan: CallPlan): Promise<void> {
    const { books, trace } = this.process.stage;
    const { name } = this.process;
    trace.note(`${name} makes call ${plan.number}: ${describe(plan)}`);
    books.callStarted(name, plan);
    if (this.#mayBeUnsupported) books.harm(plan.number, { kind: "unsupported" });
    const { outcome, told, message } = await this.#run(plan);
    trace.note(`call ${plan.number} ended: ${outcome}${message === undefined ? "" : `, ${message}`}`);
    if (!this.process.isDead) books.callEnded(plan.number, outcome, told, message);
  }

  async #run(plan: CallPlan): Promise<{ outcome: string; told: string; message?: string | undefined }> {
    const own = this.#sinks.get(plan.sink);
    if (own === undefined) throw new Error(`no sink ${plan.sink}`);
    const sink = plan.isWatched ? this.#watched(own, plan.number) : own;
    const { calls } = this.process;
    const request: CallRequest<Uint8Array> = {
      body: bodyOf(`request ${plan.number}`, plan.requestBytes),
      headers: { [CALL_HEADER]: String(plan.number) },
      callId: plan.callId,
    };
    const { books } = this.process.stage;
    const { name } = this.process;
    try {
      if (plan.kind === "stream") return await this.#stream(plan, sink, request);
      if (plan.kind === "one-way") {
        await books.track(name, `callOneWay ${plan.number}`, calls.callOneWay(sink, request, optionsOf(plan)));
      } else {
        const one = calls.callOne(sink, request, optionsOf(plan));
        this.#take(plan, await books.track(name, `callOne ${plan.number}`, one));
      }
      this.#settled(plan, "ok");
      return { outcome: "ok", told: "ok" };
    } catch (error) {
      const outcome = codeOf(error);
      const message = textOf(error);
      this.#settled(plan, outcome, message);
      return { outcome, told: outcome, message };
    }
  }

  async #stream(plan: CallPlan, sink: RequestSink, request: CallRequest<Uint8Array>) {
    const { books, world } = this.process.stage;
    const { abort } = plan;
    const controller = abort?.by === "signal" ? new AbortController() : undefined;
    const options = { ...optionsOf(plan), signal: controller?.signal };
    const stream = this.process.calls.call(sink, request, options);
    if (abort !== undefined) {
      const give = (): void => {
        books.note({ type: "aborted", call: plan.number });
        if (controller === undefined) stream.abort();
        else controller.abort();
      };
      // At once: before anything of the call is on the wire.
      if (abort.afterMs === 0) give();
      else world.after(abort.afterMs, () => (this.process.isDead ? undefined : give()));
    }
    const ended = books.track(this.process.name, `ended of call ${plan.number}`, stream.ended).then(
      () => {
        this.#settled(plan, "ok");
        return "ok";
      },
      (error: unknown) => {
        this.#settled(plan, codeOf(error), textOf(error));
        return codeOf(error);
      },
    );
    let outcome = "ok";
    let message: string | undefined;
    try {
      if (!(await this.#read(plan, stream))) outcome = "LEFT";
    } catch (error) {
      if (error instanceof StopsReading) {
        books.note({ type: "aborted", call: plan.number });
        stream.abort();
        const told = await ended;
        // It may have had its end long before it was given up, with responses unread.
        return { outcome: told === "ok" ? "ABORTED" : told, told: told === "ok" ? "ABORTED" : told };
      }
      outcome = codeOf(error);
      message = textOf(error);
    }
    return { outcome, told: await ended, message };
  }

  #settled(plan: CallPlan, outcome: string, message?: string): void {
    if (!this.process.isDead) this.process.stage.books.callSettled(plan.number, outcome, message);
  }

  /** False: left before the end. */
  async #read(plan: CallPlan, stream: ResponseStream<Uint8Array>): Promise<boolean> {
    const { reader } = plan;
    if (reader.kind === "batch") return this.#readBatches(plan, stream);
    const { clock, stage } = this.process;
    const random = new SeededRandom(stage.plan.seed, `reader ${plan.number}`);
    let count = 0;
    for await (const response of stream) {
      this.#take(plan, response);
      count += 1;
      if (reader.kind === "slow") await clock.sleep(random.int(0, reader.maxPauseMs));
      if (count !== reader.after) continue;
      if (reader.kind === "pause") await clock.sleep(reader.maxPauseMs * 4);
      if (reader.kind === "leave") return false;
      if (reader.kind === "stop") {
        await this.#release;
        throw new StopsReading();
      }
    }
    return true;
  }

  async #readBatches(plan: CallPlan, stream: ResponseStream<Uint8Array>): Promise<boolean> {
    let hasEnded = false;
    const end = (): void => {
      hasEnded = true;
    };
    stream.ended.then(end, end);
    const max = Math.min(plan.reader.after, plan.window ?? 512);
    for (;;) {
      const isLast = hasEnded;
      const batch = await stream.batch({ max, waitMs: plan.reader.maxPauseMs });
      for (const response of batch) this.#take(plan, response);
      if (batch.length === 0 && isLast) return true;
    }
  }

  #take(plan: CallPlan, { body, headers }: ResponseMessage<Uint8Array>): void {
    const name = headers?.[RESPONSE_HEADER] ?? "";
    const [call, run, index] = name.split(".").map(Number);
    const isWhole = call === plan.number && isBodyOf(name, body);
    this.process.stage.books.note({
      type: "taken",
      call: plan.number,
      run: run ?? -1,
      index: isWhole ? (index ?? -1) : -1,
      bytes: body.byteLength,
    });
  }

  /** The same sink, with an eye on what it tells the caller's context. */
  #watched(sink: RequestSink, call: number): RequestSink {
    const { books } = this.process.stage;
    return {
      signal(request, context) {
        const tell = (how: "end" | "fail" | "respond"): void =>
          books.note({ type: "told", call, how, isOver: context.signal.aborted });
        const watching: RequestContext = {
          callId: context.callId,
          get deadline() {
            return context.deadline;
          },
          signal: context.signal,
          window: context.window,
          windowBytes: context.windowBytes,
          allowKeepAlive: context.allowKeepAlive,
          keepAlive: (ms) => context.keepAlive(ms),
          respond(response) {
            tell("respond");
            return context.respond(response);
          },
          end() {
            tell("end");
            context.end();
          },
          fail(error) {
            tell("fail");
            context.fail(error);
          },
          onTaken: (listener) => context.onTaken?.(listener),
        };
        sink.signal(request, watching);
      },
      abort: (callId) => sink.abort(callId),
    };
  }
}

function optionsOf(plan: CallPlan): CallOptions {
  const { timeoutMs, allowKeepAlive, window, windowBytes, stallMs, priority, idempotent } = plan;
  return { timeoutMs, allowKeepAlive, window, windowBytes, stallMs, priority, idempotent };
}

function codeOf(error: unknown): string {
  return MessagingError.is(error) ? error.code : `no MessagingError: ${textOf(error)}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function describe(plan: CallPlan): string {
  const { number: _number, client: _client, startMs: _startMs, handler, reader, ...rest } = plan;
  return JSON.stringify({ ...rest, handler, reader });
}
