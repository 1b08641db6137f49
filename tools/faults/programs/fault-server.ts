// A server of events and of a stream of responses, with a look at what it holds. Prints `ready ADDRESS`, and at each SIGUSR2
// `memory …` and `tables …` as JSON. SIGTERM: drains and ends.
import { createGrpcGateway } from "../../../adapters/grpc/index.js";
import { memoryBroker } from "../../../adapters/memory/index.js";
import { requestTables } from "../../../src/core/request/tables.js";
import { createEventService } from "../../../src/events/index.js";
import { createMessaging } from "../../../src/index.js";
import { driverOf } from "../round/driver-of.js";
import { WORK } from "./work.js";
import { options, running, sinks } from "./work-sink.js";

export interface FaultServerTask {
  readonly broker: string;
  readonly keepaliveMs: number;
}

const { broker, keepaliveMs } = JSON.parse(process.argv[2] ?? "{}") as FaultServerTask;
const memory = memoryBroker();
const server = createMessaging({ driver: driverOf(broker, { memory }) });
// A node of its own, so that calls through the gateway travel over the broker, too.
const front = createMessaging({ driver: driverOf(broker, { memory }) });
const events = createEventService({
  messaging: front,
  queue: "faults",
  ackTimeoutMs: 1_500,
  retryScheduleMs: [500, 1_000, 1_000],
});
const serving = await server.serve(WORK, sinks[WORK], options[WORK]);
const gateway = createGrpcGateway({
  events,
  listen: "127.0.0.1:0",
  keepaliveTimeMs: keepaliveMs,
  keepaliveTimeoutMs: keepaliveMs,
  sinks: (name) => front.requestSink(name),
  observers: [
    (observation) => {
      if (observation.type === "client-refused") console.log(`refused ${observation.what}: ${observation.reason}`);
    },
  ],
});
process.on("SIGUSR2", () => {
  const { subscribers, waitingSubscribes, outstanding } = events.counts;
  const tables = { ...requestTables(server), running: running.size, inFlight: serving.inFlight };
  const client = Object.fromEntries(
    Object.entries(requestTables(front)).map(([name, size]) => [`front ${name}`, size]),
  );
  console.log(`tables ${JSON.stringify({ ...tables, ...client, subscribers, waitingSubscribes, outstanding })}`);
});
console.log(`ready ${await gateway.start()}`);
process.once("SIGTERM", () => {
  void gateway
    .close({ drainMs: 1_000 })
    .then(() => events.close({ drainMs: 1_000 }))
    .then(() => Promise.all([front.close({ drainMs: 1_000 }), server.close({ drainMs: 1_000 })]));
});
