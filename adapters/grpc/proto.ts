import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type GrpcObject, loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { ProtoGrpcType as EventsTypes } from "./gen/events.js";
import type { ProtoGrpcType as InspectionTypes } from "./gen/inspection.js";
import type { ProtoGrpcType as QueueTypes } from "./gen/queue.js";
import type { ProtoGrpcType as RequestSinkTypes } from "./gen/request_sink.js";

const QUEUE_PROTO = join("proto", "queue.proto");
const EVENTS_PROTO = join("proto", "fairlead", "v1", "events.proto");
const INSPECTION_PROTO = join("proto", "fairlead", "v1", "inspection.proto");
const REQUEST_SINK_PROTO = join("proto", "fairlead", "v1", "request_sink.proto");

type QueueApiPackage = QueueTypes["queue"]["QueueApi"];
type EventsPackage = EventsTypes["fairlead"]["v1"]["Events"];
type InspectionPackage = InspectionTypes["fairlead"]["v1"]["Inspection"];
type RequestSinkPackage = RequestSinkTypes["fairlead"]["v1"]["RequestSink"];

let queueApi: QueueApiPackage | undefined;
let events: EventsPackage | undefined;
let all: PackageDefinition | undefined;
let inspection: InspectionPackage | undefined;
let requestSink: RequestSinkPackage | undefined;

/** The client constructor and the service definition of queue.QueueApi, read once. */
export function loadQueueApi(): QueueApiPackage {
  // The generated types are of this very file; a test fails when they are stale.
  queueApi ??= (read(QUEUE_PROTO) as unknown as QueueTypes).queue.QueueApi;
  return queueApi;
}

/** As `loadQueueApi`, of fairlead.v1.Events. */
export function loadEvents(): EventsPackage {
  events ??= (read(EVENTS_PROTO) as unknown as EventsTypes).fairlead.v1.Events;
  return events;
}

/** As `loadQueueApi`, of fairlead.v1.Inspection. */
export function loadInspection(): InspectionPackage {
  inspection ??= (read(INSPECTION_PROTO) as unknown as InspectionTypes).fairlead.v1.Inspection;
  return inspection;
}

/** As `loadQueueApi`, of fairlead.v1.RequestSink. */
export function loadRequestSink(): RequestSinkPackage {
  requestSink ??= (read(REQUEST_SINK_PROTO) as unknown as RequestSinkTypes).fairlead.v1.RequestSink;
  return requestSink;
}

/** Everything that is served, in one: reflection takes one file for each package. */
export function loadAllProtos(): PackageDefinition {
  all ??= load([QUEUE_PROTO, EVENTS_PROTO, INSPECTION_PROTO, REQUEST_SINK_PROTO]);
  return all;
}

function read(proto: string): GrpcObject {
  return loadPackageDefinition(load([proto]));
}

function load(protos: readonly string[]): PackageDefinition {
  return loadSync(protos.map(pathOf), { longs: String, enums: String, defaults: true, oneofs: true });
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
