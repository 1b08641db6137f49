import { type ClientSecurityOptions, createSinkClient } from "../../adapters/grpc/index.js";
import { brokerModule, createContainer, maskBrokerUrl, messagingModule, TOKENS } from "../container/index.js";
import { call } from "../core/request/calls.js";
import { MessagingError } from "../errors/messaging-error.js";
import type { MessageHeaders, Priority } from "../ports/message.js";
import type { Messaging } from "../ports/messaging.js";
import type { RequestSink } from "../ports/request-sink.js";
import { brokerFailure } from "./broker-failure.js";
import { EXIT_CODE, type ExitCode } from "./exit-code.js";
import { BadInput, oneLine } from "./failure.js";
import { responseLine } from "./response-line.js";
import { SERVED_BY } from "./signed-sink.js";
import { onStopSignal } from "./stop-signal.js";

const CONNECT_TIMEOUT_MS = 10_000;
/** For telling the server of an abort. */
const CLOSE_MS = 2_000;

export interface RequestOrder {
  readonly name: string;
  /** JSON text. */
  readonly body: string;
  readonly over: { readonly server: string; readonly security: ClientSecurityOptions } | { readonly broker: string };
  readonly timeoutMs: number;
  readonly priority: Priority | undefined;
  readonly window: number | undefined;
  readonly idempotent: boolean;
}

/** The client's end of the sink, over whatever reaches it. */
interface Way {
  readonly sink: RequestSink;
  readonly place: string;
  /** What to look at when it is not available. */
  readonly hint?: string;
  close(): Promise<unknown>;
}

/** Sends the request, and prints what comes. */
export async function request(order: RequestOrder): Promise<ExitCode> {
  const stop = onStopSignal();
  let way: Way | undefined;
  let count = 0;
  try {
    way = await openWay(order, stop.signal);
    count = await printResponses(order, way.sink, stop.signal, (so) => {
      count = so;
    });
    process.stderr.write(`fairlead: ${responses(count)}\n`);
    return EXIT_CODE.ok;
  } catch (error) {
    if (!stop.signal.aborted) throw failureOf(error, order, way, count);
    process.stderr.write(`fairlead: interrupted after ${responses(count)}\n`);
    return EXIT_CODE.interrupted;
  } finally {
    await way?.close();
    stop.dispose();
  }
}

async function printResponses(
  { name: _, body, over: __, ...options }: RequestOrder,
  sink: RequestSink,
  signal: AbortSignal,
  onCount: (count: number) => void,
): Promise<number> {
  const message = { body: new TextEncoder().encode(body), contentType: "application/json" };
  let count = 0;
  const stream = call(sink, message, { ...options, signal });
  for await (const response of stream) {
    if (count === 0) tellWho(response.headers);
    // Whoever reads this may stand still: that must not keep the call from its end, nor the command from its own.
    const isPrinted = await Promise.race([print(`${responseLine(response)}\n`), failure(stream.ended)]);
    // Whoever read this has had enough: leaving the loop aborts the call.
    if (!isPrinted) break;
    count += 1;
    onCount(count);
  }
  return count;
}

/** Rejects if the call fails. After a clean end there is nothing to hurry for. */
function failure(ended: Promise<void>): Promise<never> {
  return ended.then(() => new Promise<never>(() => {}));
}

function tellWho(headers: MessageHeaders = {}): void {
  const { [SERVED_BY.node]: node, [SERVED_BY.pid]: pid } = headers;
  const who = node === undefined ? "a server that does not say who it is" : `node=${node} pid=${pid}`;
  process.stderr.write(`fairlead: answered by ${oneLine(who)}\n`);
}

function print(line: string): Promise<boolean> {
  return new Promise((resolve) => {
    process.stdout.write(line, (error) => resolve(error === null || error === undefined));
  });
}

async function openWay({ name, over, timeoutMs }: RequestOrder, signal: AbortSignal): Promise<Way> {
  if ("server" in over) {
    const client = createSinkClient({ ...over.security, address: over.server });
    const hint = `is fairlead serve running at ${over.server}?`;
    return { sink: client.requestSink(name), place: over.server, hint, close: () => client.close() };
  }
  if (over.broker === "memory:") {
    throw new BadInput("--broker: memory: lives within one process; reach its server with --server");
  }
  const connectTimeoutMs = Math.min(timeoutMs, CONNECT_TIMEOUT_MS);
  const container = createContainer(brokerModule(over.broker), messagingModule({ connectTimeoutMs }));
  const place = maskBrokerUrl(over.broker);
  const messaging = container.get<Messaging>(TOKENS.Messaging);
  try {
    const sink = messaging.requestSink(name);
    await messaging.open({ signal });
    return { sink, place, close: () => messaging.close({ drainMs: CLOSE_MS }) };
  } catch (error) {
    await messaging.close({ drainMs: 0 });
    throw brokerFailure(error, place);
  }
}

/** What was attempted, what came of it, and what to look at. */
function failureOf(error: unknown, { name }: RequestOrder, way: Way | undefined, count: number): unknown {
  if (!MessagingError.is(error) || way === undefined) return error;
  const hints: Readonly<Record<string, string>> = {
    UNAVAILABLE: way.hint === undefined ? "" : `; ${way.hint}`,
    TIMEOUT: `; does a server serve ${JSON.stringify(name)}, and does its handler answer?`,
  };
  const after = count === 0 ? (hints[error.code] ?? "") : ` (after ${responses(count)})`;
  // The gRPC library adds this note also where there is nothing to note.
  const said = error.message.replace(/\.? *Resolution note: *$/, "");
  const text = `request ${name} at ${way.place}: ${said}${after}`;
  // Bad input means that nothing was done; here some of it was.
  if (count > 0) return new Error(`${text} (${error.code})`, { cause: error });
  return new MessagingError(error.code, text, { cause: error });
}

function responses(count: number): string {
  return count === 1 ? "1 response" : `${count} responses`;
}
