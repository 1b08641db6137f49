import { fileURLToPath } from "node:url";
import { createSinkClient } from "../../../adapters/grpc/index.js";
import { bytesCodec, createMessaging, jsonCodec, type RequestSink } from "../../../src/index.js";
import { WORK, type Work } from "../programs/work.js";
import { driverOf } from "../round/driver-of.js";
import type { FaultRound } from "../round/scenario.js";

/** The module of what servers of a round serve, for `fairlead serve --sink`. */
export const WORK_SINK_FILE = fileURLToPath(new URL("../programs/work-sink.js", import.meta.url));

const CODECS = { codec: jsonCodec<Work>(), responseCodec: bytesCodec };

/** The servers' sink, over the broker. The client is closed at the end of the round. */
export function directWorkSink(round: FaultRound, broker: string): RequestSink<Work, Uint8Array> {
  const client = createMessaging({ driver: driverOf(broker) });
  round.atEnd(() => client.close({ drainMs: 0 }));
  return client.requestSink(WORK, CODECS);
}

/** The servers' sink, through the gateway at this address. The client is closed at the end of the round. */
export function gatewayWorkSink(round: FaultRound, address: string): RequestSink<Work, Uint8Array> {
  const client = createSinkClient({ address });
  round.atEnd(() => client.close());
  return client.requestSink(WORK, CODECS);
}
