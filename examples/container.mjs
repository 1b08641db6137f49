import { grpcModule } from "fairlead/adapters/grpc";
import { memoryModule } from "fairlead/adapters/memory";
import { createContainer, TOKENS } from "fairlead/container";

// With a broker: rabbitmqModule({ url: "amqp://localhost" }). Nothing else changes.
const container = createContainer(memoryModule(), grpcModule({ listen: "127.0.0.1:0" }));

const server = await container.getAsync(TOKENS.Server);
console.log("serving", await server.start());

await server.close(); // gRPC first, then the event service, then the connection
