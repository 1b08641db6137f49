// A sink is the same thing at both ends of every transport, so sinks compose:
// gRPC client → gRPC server → a broker → a bridge → another broker → a service, with back-pressure all the way.
import { call, createMessaging, jsonCodec, sinkOf } from "fairlead";
import { createSinkClient, grpcModule } from "fairlead/adapters/grpc";
import { memoryDriver } from "fairlead/adapters/memory";
import { brokerModule, createContainer, TOKENS } from "fairlead/container";

// The far broker, and a service on it. BROKER_URL=amqp://localhost makes it RabbitMQ.
const far = createContainer(brokerModule(process.env.BROKER_URL ?? "memory:")).get(TOKENS.Messaging);
const squares = sinkOf(async function* ({ body: { to } }) {
  for (let number = 1; number <= to; number += 1) yield { body: number * number };
});
await far.serve("squares", squares, { codec: jsonCodec() });

// The near broker, and the bridge: one line.
const near = createMessaging({ driver: memoryDriver() });
await near.serve("squares", far.requestSink("squares"));

// A gRPC server that passes each call on to the near broker.
const edge = createContainer(
  brokerModule("memory:"),
  grpcModule({ listen: "127.0.0.1:0", sinks: (name) => near.requestSink(name) }),
);
const server = edge.get(TOKENS.Server);
const [address] = await server.start();

// A gRPC client. There is one for every language: proto/fairlead/v1/request_sink.proto
const client = createSinkClient({ address });
const sink = client.requestSink("squares", { codec: jsonCodec() });
const received = [];
for await (const { body } of call(sink, { body: { to: 5 } }, { timeoutMs: 10_000 })) received.push(body);
console.log(received.join(" "));

await client.close();
await server.close();
await near.close();
await far.close();
