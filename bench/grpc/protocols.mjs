import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { productFile } from "../cells/product.mjs";

/** The same messages for the bare server, for ours, and for the clients of both. */
function load(/** @type {string} */ file) {
  return loadPackageDefinition(
    loadSync(productFile(`proto/${file}`), { longs: Number, enums: String, defaults: true }),
  );
}

export const loadQueueApi = () => load("queue.proto").queue.QueueApi;
export const loadEvents = () => load("fairlead/v1/events.proto").fairlead.v1.Events;
