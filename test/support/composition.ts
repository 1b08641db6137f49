import { expect } from "vitest";
import { createSinkClient, grpcModule } from "../../adapters/grpc/index.js";
import { brokerModule, createContainer, TOKENS } from "../../src/container/index.js";
import {
  bytesCodec,
  call,
  type HandlerContext,
  jsonCodec,
  type Messaging,
  MessagingError,
  type RequestSink,
  sinkOf,
} from "../../src/index.js";
import { waitUntil } from "../../tools/process/wait-until.js";
import { collectGarbage } from "./collect-garbage.js";

const TIMEOUT_MS = 30_000;
const WINDOW = 16;
const ITEM_BYTES = 65_536;
const ITEMS = 2_000;

interface RowsRequest {
  readonly rows: number;
  readonly bytes: number;
}

/** A service that counts what it sends, and notes how its calls ended. */
class Rows {
  begun = 0;
  sent = 0;
  readonly aborted: string[] = [];
  readonly sink = sinkOf<RowsRequest, Uint8Array>((request, context) => this.#answer(request.body, context));

  async *#answer(
    { rows, bytes }: RowsRequest,
    { signal }: HandlerContext<Uint8Array>,
  ): AsyncIterable<{ body: Uint8Array }> {
    this.begun += 1;
    const onAbort = (): void => void this.aborted.push(MessagingError.is(signal.reason) ? signal.reason.code : "?");
    signal.addEventListener("abort", onAbort, { once: true });
    if (bytes === 0) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    if (rows < 0) throw new MessagingError("NOT_FOUND", "there are no such rows");
    for (this.sent = 0; this.sent < rows; ) {
      this.sent += 1;
      yield { body: new Uint8Array(bytes).fill(this.sent) };
    }
  }
}

/** The chain ends at a service on `far`; a sink client reaches `nearest` through a gateway. */
export interface Chain {
  readonly far: Messaging;
  nearest(name: string): RequestSink;
}

/** gRPC client → gRPC server → … → service: responses, errors, aborts and back-pressure go all the way. */
export async function checkComposition(name: string, { far, nearest }: Chain): Promise<void> {
  const rows = new Rows();
  const codec = jsonCodec<RowsRequest>();
  await far.serve(name, rows.sink, { codec, responseCodec: bytesCodec });
  const grpc = grpcModule({ listen: "127.0.0.1:0", sinks: (wanted) => (wanted === name ? nearest(name) : undefined) });
  const edge = createContainer(brokerModule("memory:"), grpc);
  try {
    const [address = ""] = await edge.get(TOKENS.Server).start();
    await using client = createSinkClient({ address });
    const sink = client.requestSink(name, { codec, responseCodec: bytesCodec });
    await checkSlowReader(sink, rows);
    await checkEnds(sink, rows);
    const missing = call(client.requestSink("nowhere"), { body: new Uint8Array() }, { timeoutMs: TIMEOUT_MS });
    await expect(missing.ended).rejects.toMatchObject({ code: "NOT_FOUND" });
  } finally {
    await edge.unbindAllAsync();
  }
}

async function checkSlowReader(sink: RequestSink<RowsRequest, Uint8Array>, rows: Rows): Promise<void> {
  const options = { timeoutMs: TIMEOUT_MS, window: WINDOW };
  let read = 0;
  let ahead = 0;
  collectGarbage();
  const baseBytes = process.memoryUsage.rss();
  let peakBytes = baseBytes;
  for await (const { body } of call(sink, { body: { rows: ITEMS, bytes: ITEM_BYTES } }, options)) {
    read += 1;
    expect([body.length, body[0]]).toEqual([ITEM_BYTES, read % 256]);
    ahead = Math.max(ahead, rows.sent - read);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (read % 50 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }
  expect(read).toBe(ITEMS);
  // One window for the whole chain, however many hops it has.
  expect(ahead).toBeGreaterThan(1);
  expect(ahead).toBeLessThanOrEqual(WINDOW);
  // 128 MB went through.
  expect((peakBytes - baseBytes) / 1_000_000).toBeLessThan(64);
}

async function checkEnds(sink: RequestSink<RowsRequest, Uint8Array>, rows: Rows): Promise<void> {
  const failing = call(sink, { body: { rows: -1, bytes: 1 } }, { timeoutMs: TIMEOUT_MS });
  await expect(failing.ended).rejects.toMatchObject({ code: "NOT_FOUND", message: /there are no such rows/ });
  const before = rows.aborted.length;
  for await (const _ of call(sink, { body: { rows: 1e9, bytes: 10 } }, { timeoutMs: TIMEOUT_MS })) {
    if (rows.sent > 20) break;
  }
  await waitUntil(() => rows.aborted.length > before, { what: "the abort at the service", timeoutMs: 20_000 });
  const { begun } = rows;
  // A call that has not reached the service in its time cannot end there: then another has more.
  for (let timeoutMs = 300; rows.begun === begun && timeoutMs < 30_000; timeoutMs *= 4) {
    const late = call(sink, { body: { rows: 1, bytes: 0 } }, { timeoutMs });
    await expect(late.ended).rejects.toMatchObject({ code: "TIMEOUT" });
  }
  await waitUntil(() => rows.aborted.length > before + 1, { what: "the end at the service", timeoutMs: 20_000 });
}
