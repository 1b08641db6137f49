import { Server, ServerCredentials } from "@grpc/grpc-js";
import { loadQueueApi } from "./protocols.mjs";

/** Starts a server of grpc-js, with nothing around these handlers of QueueApi. */
export async function serveBareGrpc(handlers) {
  const server = new Server();
  const nothing = (_, answer) => answer(null, {});
  const base = { PostEvent: nothing, SubscribeEvents: (stream) => stream.end(), Ack: nothing, Close: nothing };
  server.addService(loadQueueApi().service, { ...base, ...handlers });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { address: `127.0.0.1:${port}` };
}
