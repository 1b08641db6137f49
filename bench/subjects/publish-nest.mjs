import { ClientProxyFactory, ServerRMQ, Transport } from "@nestjs/microservices";
import { firstValueFrom } from "rxjs";

/** Without an application around them: the transport's own client and server, with acks and persistence switched on. */
export async function open({ url, queue, queueType, prefetch, onMessage }) {
  const queueOptions = { durable: true, arguments: { "x-queue-type": queueType } };
  const server = new ServerRMQ({ urls: [url], queue, queueOptions, prefetchCount: prefetch, noAck: false });
  server.addHandler(
    "message",
    async (_, context) => {
      onMessage();
      context.getChannelRef().ack(context.getMessage());
    },
    true,
  );
  await new Promise((resolve, reject) => server.listen((error) => (error ? reject(error) : resolve())));
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], queue, queueOptions, persistent: true, noAssert: false },
  });
  await client.connect();
  return {
    // Its envelope is JSON: a text of the same size.
    publish: (body) => firstValueFrom(client.emit("message", body.toString("latin1")), { defaultValue: undefined }),
    async close() {
      await client.close();
      await server.close();
    },
  };
}
