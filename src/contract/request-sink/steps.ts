import assert from "node:assert";
import {
  type CallOptions,
  type CallRequest,
  call,
  type ErrorCode,
  MessagingError,
  type RequestContext,
  type RequestMessage,
  type RequestServer,
  type RequestSink,
  type RequestSinkOptions,
  type ResponseStream,
  type ServeOptions,
} from "../../index.js";
import type { ContractContext, ContractNode } from "../context.js";
import type { Collector } from "../probe.js";
import { bytes, numbered, text } from "../text.js";

/** So long that no error of a case can be mistaken for this timeout. */
export const LONG_MS = 60_000;

/** How often a server says that it lives where a case waits for it: its callers must not miss it because the machine is slow. */
export function keepAliveMs(context: ContractContext): number {
  return context.unhurried(300);
}

/** How long its callers then wait for it. */
export function lifeMs(context: ContractContext): number {
  return 3 * keepAliveMs(context);
}

/** Nothing is lent: no lane has a slot to spare. */
export const ONE_EACH = { expedite: 1, standard: 1, bulk: 1 } as const;

/** One call as the server's sink saw it. */
export interface ServedCall {
  readonly text: string;
  readonly request: RequestMessage<Uint8Array>;
  readonly context: RequestContext;
  /** By `performance.now()`. */
  readonly at: number;
}

/** What a service does with a call; `index` counts them from 0. What it throws fails the call. */
export type Work = (served: ServedCall, index: number) => unknown;

export interface Service extends RequestSink {
  readonly calls: Collector<ServedCall>;
  readonly aborts: Collector<string>;
}

/** A sink that records its calls. */
export function service(context: ContractContext, work: Work = () => {}): Service {
  const calls = context.collector<ServedCall>("calls at the service", (served) => served.text);
  const aborts = context.collector<string>("aborts at the service", String);
  return {
    calls,
    aborts,
    signal(request, caller) {
      const served = { text: text(request.body), request, context: caller, at: performance.now() };
      calls.add(served);
      const run = async (): Promise<void> => {
        await work(served, calls.items.length - 1);
      };
      run().catch((thrown: unknown) => {
        caller.fail(MessagingError.is(thrown) ? thrown : new MessagingError("REMOTE", String(thrown)));
      });
    },
    abort: aborts.add,
  };
}

export interface Opened {
  readonly name: string;
  readonly node: ContractNode;
  readonly server: RequestServer;
  readonly service: Service;
  readonly sink: RequestSink;
}

export interface OpenOptions {
  readonly serve?: ServeOptions<Uint8Array, Uint8Array> | undefined;
  readonly sink?: RequestSinkOptions<Uint8Array, Uint8Array> | undefined;
}

/** A server that does this work, and a caller's end. */
export async function open(
  context: ContractContext,
  purpose: string,
  work: Work = () => {},
  options: OpenOptions = {},
): Promise<Opened> {
  const name = context.name(purpose);
  const node = await context.node();
  const own = service(context, work);
  const server = await context.serve(node, name, own, options.serve);
  return { name, node, server, service: own, sink: await context.sink(name, options.sink) };
}

export function request(body = "request", more: Partial<CallRequest<Uint8Array>> = {}): CallRequest<Uint8Array> {
  return { body: bytes(body), ...more };
}

/** Starts a call with a long timeout. */
export function start(
  sink: RequestSink,
  body = "request",
  options: Partial<CallOptions> = {},
  more: Partial<CallRequest<Uint8Array>> = {},
): ResponseStream<Uint8Array> {
  return call(sink, request(body, more), { timeoutMs: LONG_MS, ...options });
}

/** Responds with each, as fast as the credit allows. Resolves as the last `respond` did. */
export async function respond({ context }: Pick<ServedCall, "context">, ...texts: string[]): Promise<boolean> {
  let goesOn = true;
  for (const body of texts) {
    goesOn = await context.respond({ body: bytes(body) });
    if (!goesOn) break;
  }
  return goesOn;
}

/** Work: so many responses, `r-0`, `r-1`, …, and the end. */
export function streaming(count: number): Work {
  return async (served) => {
    await respond(served, ...numbered("r", count));
    served.context.end();
  };
}

/** Work: responds, waits for the gate, responds on, and ends. */
export function inTwoParts(gate: { wait(): Promise<void> }, first: readonly string[], rest: readonly string[]): Work {
  return async (served) => {
    await respond(served, ...first);
    await gate.wait();
    await respond(served, ...rest);
    served.context.end();
  };
}

/** Work: one response that says what was asked, and the end. */
export const echo: Work = async (served) => {
  await respond(served, served.text);
  served.context.end();
};

/** What a reader got. */
export interface Outcome {
  readonly texts: readonly string[];
  readonly error: unknown;
}

async function drain(stream: ResponseStream<Uint8Array>): Promise<Outcome> {
  const texts: string[] = [];
  try {
    for await (const response of stream) texts.push(text(response.body));
  } catch (error) {
    return { texts, error };
  }
  return { texts, error: undefined };
}

/** Reads to the end, whichever it is. */
export function read(context: ContractContext, stream: ResponseStream<Uint8Array>, extraMs = 0): Promise<Outcome> {
  return context.soon(drain(stream), `the end of call ${stream.callId}`, extraMs);
}

/** Reads to a clean end. */
export async function readWell(
  context: ContractContext,
  stream: ResponseStream<Uint8Array>,
  extraMs = 0,
): Promise<readonly string[]> {
  const { texts, error } = await read(context, stream, extraMs);
  assert.equal(error, undefined, `the call failed after ${texts.length} responses: ${String(error)}`);
  return texts;
}

/** Reads to an error with this code. */
export async function readFailure(
  context: ContractContext,
  stream: ResponseStream<Uint8Array>,
  code: ErrorCode,
  extraMs = 0,
): Promise<{ readonly texts: readonly string[]; readonly error: MessagingError }> {
  const { texts, error } = await read(context, stream, extraMs);
  assert.ok(error !== undefined, `the call ended well after ${texts.length} responses, instead of with ${code}`);
  assert.ok(MessagingError.is(error), `the call failed with something that is no MessagingError: ${String(error)}`);
  assert.equal(error.code, code, `the call failed with ${error.code} (${error.message}) instead of ${code}`);
  assert.ok(error.message.trim().length > 0, "the call failed without a word");
  return { texts, error };
}

/** Waits until the call has failed with this code, whatever has been read. */
export async function fails(
  context: ContractContext,
  stream: ResponseStream<Uint8Array>,
  code: ErrorCode,
  extraMs = 0,
): Promise<void> {
  const error = await context.soon(
    stream.ended.then(
      () => undefined,
      (thrown: unknown) => thrown,
    ),
    `the end of call ${stream.callId}`,
    extraMs,
  );
  assert.ok(MessagingError.is(error, code), `the call is over with ${String(error)} instead of ${code}`);
}

/** The next so many responses; fails if the stream ends before. */
export async function next(
  context: ContractContext,
  stream: ResponseStream<Uint8Array>,
  count: number,
): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const responses = await context.soon(stream.batch({ max: 1, waitMs: LONG_MS }), `response ${texts.length + 1}`);
    assert.ok(responses.length > 0, `the stream ended after ${texts.length} of ${count} responses`);
    texts.push(...responses.map(({ body }) => text(body)));
  }
  return texts;
}

/** A call that is answered proves that the server goes on. */
export async function goesOn(context: ContractContext, sink: RequestSink, extraMs = 0): Promise<void> {
  await readWell(context, start(sink, "still there?"), extraMs);
}

/** Waits until the caller's end is over for the service, and returns why. */
export async function told(context: ContractContext, { context: caller }: ServedCall, extraMs = 0): Promise<unknown> {
  await context.until(
    () => caller.signal.aborted,
    () => `the service to be told that call ${caller.callId} is over`,
    extraMs,
  );
  assert.ok(
    MessagingError.is(caller.signal.reason),
    `the reason is no MessagingError: ${String(caller.signal.reason)}`,
  );
  return caller.signal.reason;
}
