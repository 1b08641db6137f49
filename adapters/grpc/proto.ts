import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { ProtoGrpcType as QueueTypes } from "./gen/queue.js";
import type { ProtoGrpcType as RequestSinkTypes } from "./gen/request_sink.js";

const QUEUE_PROTO = join("proto", "queue.proto");
const REQUEST_SINK_PROTO = join("proto", "fairlead", "v1", "request_sink.proto");

type QueueApiPackage = QueueTypes["queue"]["QueueApi"];
type RequestSinkPackage = RequestSinkTypes["fairlead"]["v1"]["RequestSink"];

let queueApi: QueueApiPackage | undefined;
let requestSink: RequestSinkPackage | undefined;

/** The client constructor and the service definition of queue.QueueApi, read once. */
export function loadQueueApi(): QueueApiPackage {
  // The generated types are of this very file; a test fails when they are stale.
  queueApi ??= (read(QUEUE_PROTO) as unknown as QueueTypes).queue.QueueApi;
  return queueApi;
}

/** As `loadQueueApi`, of fairlead.v1.RequestSink. */
export function loadRequestSink(): RequestSinkPackage {
  requestSink ??= (read(REQUEST_SINK_PROTO) as unknown as RequestSinkTypes).fairlead.v1.RequestSink;
  return requestSink;
}

function read(proto: string): GrpcObject {
  return loadPackageDefinition(loadSync(pathOf(proto), { longs: String, enums: String, defaults: true, oneofs: true }));
}

/** From the sources as well as from dist/, which lies deeper. */
function pathOf(proto: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const path = join(folder, proto);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) {
      throw new MessagingError("INTERNAL", `${proto} is missing from the package: not found above ${here}`);
    }
  }
}
