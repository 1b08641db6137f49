import {
  bytesCodec,
  jsonCodec,
  type Messaging,
  type RequestServer,
  type RequestSink,
  sinkOf,
} from "../../src/index.js";
import { type RssGrowth, RssWatch } from "./rss-watch.js";

/** What the services are called on the broker. */
export const SERVICE = {
  items: "fairlead-memory-items",
  idle: "fairlead-memory-idle",
  control: "fairlead-memory-control",
} as const;

export interface ItemsRequest {
  readonly items: number;
  readonly bytes: number;
}

/** `begin`: watch from now on. `look`: what was seen since. */
export type ControlRequest = "begin" | "look";

export interface ControlAnswer {
  readonly running: number;
  readonly growth: RssGrowth | undefined;
}

/** Serves what the measurement calls: a stream of items, calls that idle, and how this process does. */
export async function serveMemoryServices(messaging: Messaging, idleCalls: number): Promise<void> {
  let watch: RssWatch | undefined;
  const items = sinkOf<ItemsRequest, Uint8Array>(async function* ({ body }) {
    for (let item = 0; item < body.items; item += 1) yield { body: new Uint8Array(body.bytes).fill(item) };
  });
  // Holds nothing of its own, so that what is measured is what a call costs here.
  const idle: RequestSink<unknown, never> = { signal() {}, abort() {} };
  let idling: RequestServer | undefined;
  const control = sinkOf<ControlRequest, ControlAnswer>(async function* ({ body }) {
    if (body === "begin") {
      watch?.stop();
      watch = new RssWatch();
    }
    yield { body: { running: idling?.inFlight ?? 0, growth: watch?.growth } };
  });
  await messaging.serve(SERVICE.items, items, { codec: jsonCodec<ItemsRequest>(), responseCodec: bytesCodec });
  idling = await messaging.serve(SERVICE.idle, idle, { codec: jsonCodec(), concurrency: { standard: idleCalls } });
  await messaging.serve(SERVICE.control, control, {
    codec: jsonCodec<ControlRequest>(),
    responseCodec: jsonCodec<ControlAnswer>(),
  });
}
