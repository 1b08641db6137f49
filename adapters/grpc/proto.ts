import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { MessagingError } from "../../src/errors/messaging-error.js";
import type { ProtoGrpcType } from "./gen/queue.js";

const PROTO = join("proto", "queue.proto");

type QueueApiPackage = ProtoGrpcType["queue"]["QueueApi"];

let loaded: QueueApiPackage | undefined;

/** The client constructor and the service definition of queue.QueueApi, read once. */
export function loadQueueApi(): QueueApiPackage {
  loaded ??= readQueueApi();
  return loaded;
}

function readQueueApi(): QueueApiPackage {
  const definition = loadSync(protoPath(), { longs: String, enums: String, defaults: true, oneofs: true });
  // The generated types are of this very file; a test fails when they are stale.
  return (loadPackageDefinition(definition) as unknown as ProtoGrpcType).queue.QueueApi;
}

/** From the sources as well as from dist/, which lies deeper. */
function protoPath(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; ; folder = dirname(folder)) {
    const path = join(folder, PROTO);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) {
      throw new MessagingError("INTERNAL", `${PROTO} is missing from the package: not found above ${here}`);
    }
  }
}
