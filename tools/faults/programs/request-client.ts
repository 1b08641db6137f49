// Begins calls that are not answered before long, and waits for them. Prints `begun` when all have been begun.
import { createSinkClient } from "../../../adapters/grpc/index.js";
import { bytesCodec, call, createMessaging, jsonCodec, type RequestSink } from "../../../src/index.js";
import { driverOf } from "../round/driver-of.js";
import { WORK, type Work } from "./work.js";

export interface RequestClientTask {
  /** A broker, or the address of a gateway. */
  readonly broker?: string | undefined;
  readonly address?: string | undefined;
  /** Number of the first. */
  readonly first: number;
  readonly calls: number;
  /** Read none of what comes. */
  readonly isDeaf?: boolean | undefined;
  readonly work: Omit<Work, "number">;
  readonly timeoutMs: number;
}

/** So that a broker soon knows of a client that stands still. */
const HEARTBEAT_SECONDS = 4;

const task = JSON.parse(process.argv[2] ?? "{}") as RequestClientTask;
const codecs = { codec: jsonCodec<Work>(), responseCodec: bytesCodec };

function sinkTo({ broker, address = "" }: RequestClientTask): RequestSink<Work, Uint8Array> {
  if (broker !== undefined)
    return createMessaging({
      driver: driverOf(broker, { rabbitmq: { heartbeatSeconds: HEARTBEAT_SECONDS } }),
    }).requestSink(WORK, codecs);
  return createSinkClient({ address }).requestSink(WORK, codecs);
}

const sink = sinkTo(task);
let responses = 0;
const calls = Array.from({ length: task.calls }, async (_, index) => {
  const stream = call(sink, { body: { ...task.work, number: task.first + index } }, { timeoutMs: task.timeoutMs });
  if (task.isDeaf !== true) {
    for await (const _response of stream) {
      responses += 1;
      if (responses === 1) console.log("reading");
    }
  }
  await stream.ended;
});
console.log("begun");
const ends = await Promise.allSettled(calls);
const failed = ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []));
console.log(`ended ${ends.length - failed.length} failed ${failed.length} ${failed[0] ?? ""}`);
process.exit(0);
