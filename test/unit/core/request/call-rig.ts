import { expect } from "vitest";
import { createCalls } from "../../../../src/core/request/calls.js";
import { systemRandom } from "../../../../src/core/system-random.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import type {
  CallOptions,
  CallRequest,
  RequestContext,
  RequestMessage,
  RequestSink,
  ResponseStream,
} from "../../../../src/ports/request-sink.js";
import { VirtualClock } from "../../../support/virtual-clock.js";

export interface Rig {
  readonly clock: VirtualClock;
  readonly stream: ResponseStream<string>;
  /** The caller's end, as the sink sees it. */
  readonly context: RequestContext<string>;
  readonly request: RequestMessage<string>;
}

export const TIMEOUT_MS = 1_000;

/** One call of a sink that does nothing, so that the test is the service. */
export function startCall(options: Partial<CallOptions> = {}, more: Partial<CallRequest<string>> = {}): Rig {
  const clock = new VirtualClock();
  const { call } = createCalls({ clock, random: systemRandom });
  let seen: { readonly request: RequestMessage<string>; readonly context: RequestContext<string> } | undefined;
  const sink: RequestSink<string, string> = {
    signal(request, context) {
      seen = { request, context };
    },
    abort() {},
  };
  const stream = call(sink, { body: "request", ...more }, { timeoutMs: TIMEOUT_MS, ...options });
  if (seen === undefined) throw new Error("the sink was not signalled");
  return { clock, stream, ...seen };
}

/** Sends without waiting for credit. */
export function send({ context }: Rig, ...bodies: string[]): void {
  for (const body of bodies) void context.respond({ body });
}

export async function bodiesOf(stream: ResponseStream<string>): Promise<string[]> {
  const bodies: string[] = [];
  for await (const { body } of stream) bodies.push(body);
  return bodies;
}

export async function batchOf(rig: Rig, max: number, waitMs: number): Promise<string[]> {
  return (await rig.stream.batch({ max, waitMs })).map(({ body }) => body);
}

/** The outcome of a promise so far, without waiting. */
export async function outcomeOf(rig: Rig, promise: Promise<unknown>): Promise<unknown> {
  const pending = Symbol("pending");
  const outcome = promise.then(
    (value) => value,
    (error: unknown) => (MessagingError.is(error) ? error.code : error),
  );
  await rig.clock.settle();
  const first = await Promise.race([outcome, Promise.resolve(pending)]);
  return first === pending ? "pending" : first;
}

export async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ code });
}
