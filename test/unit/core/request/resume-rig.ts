import { expect, onTestFinished, vi } from "vitest";
import { type MemoryBroker, memoryBroker } from "../../../../adapters/memory/index.js";
import { call } from "../../../../src/core/request/calls.js";
import { MessagingError } from "../../../../src/errors/messaging-error.js";
import type {
  CallOptions,
  RequestContext,
  RequestSink,
  RequestSinkOptions,
  ResponseStream,
  ServeOptions,
} from "../../../../src/ports/request-sink.js";
import { type TappedMessaging, tappedMessaging } from "./tapped-messaging.js";

export const KEEP_ALIVE_MS = 60;
const codec = {
  contentType: "text/plain",
  encode: (text: string) => new TextEncoder().encode(text),
  decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes),
};

export interface World {
  readonly broker: MemoryBroker;
  readonly client: TappedMessaging;
  readonly server: TappedMessaging;
  readonly sink: RequestSink<string, string>;
  /** The callers' ends, as the service sees them. */
  readonly contexts: RequestContext<string>[];
  serve(options?: Partial<ServeOptions<string, string>>): Promise<void>;
}

/** A client and a server of one sink, with a service that the test is. */
export async function world(
  options: Partial<ServeOptions<string, string>> = {},
  more: Partial<RequestSinkOptions<string, string>> = {},
): Promise<World> {
  const broker = memoryBroker();
  const client = tappedMessaging(broker);
  const server = tappedMessaging(broker);
  onTestFinished(async () => {
    client.isReachable = true;
    server.isReachable = true;
    await Promise.all([client.messaging.close({ drainMs: 0 }), server.messaging.close({ drainMs: 0 })]);
  });
  const contexts: RequestContext<string>[] = [];
  const serve = async (own: Partial<ServeOptions<string, string>> = {}): Promise<void> => {
    const sink: RequestSink<string, string> = { signal: (_, context) => void contexts.push(context), abort() {} };
    await server.messaging.serve("work", sink, { codec, keepAliveMs: KEEP_ALIVE_MS, ...options, ...own });
  };
  await serve();
  return { broker, client, server, sink: client.messaging.requestSink("work", { codec, ...more }), contexts, serve };
}

export async function started(rig: World, options: Partial<CallOptions> = {}) {
  const { contexts, sink } = rig;
  const before = contexts.length;
  const stream = call(sink, { body: "request" }, { timeoutMs: 20_000, ...options });
  stream.ended.catch(() => undefined);
  await until(() => contexts.length > before);
  const context = contexts[before];
  if (context === undefined) throw new Error("the service was not called");
  return { stream, context };
}

export async function next(stream: ResponseStream<string>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    for (const { body } of await stream.batch({ max: 1, waitMs: 5_000 })) texts.push(body);
  }
  return texts;
}

export async function rest(stream: ResponseStream<string>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { body } of stream) texts.push(body);
  return texts;
}

/** As `started`, and its first response was read. */
export async function answered(rig: World, options: Partial<CallOptions> = {}) {
  const opened = await started(rig, options);
  await opened.context.respond({ body: "one" });
  expect(await next(opened.stream, 1)).toEqual(["one"]);
  return opened;
}

/** The client has no link until it is reachable again. */
export function cutOff({ client }: World): void {
  client.isReachable = false;
  client.loseConnections();
}

export const until = (condition: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 5 });

export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "ok",
    (error: unknown) => (MessagingError.is(error) ? error.code : error),
  );

/** Soon after the last call nothing is left of it, at either end. */
export async function nothingLeft({ client, server }: World): Promise<void> {
  for (const node of [client, server]) {
    await vi.waitFor(() => expect(Object.entries(node.tables()).filter(([, size]) => size > 0)).toEqual([]), {
      timeout: 20_000,
      interval: 10,
    });
  }
}
