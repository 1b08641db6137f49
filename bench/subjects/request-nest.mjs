import { ClientProxyFactory, ServerRMQ, Transport } from "@nestjs/microservices";
import { firstValueFrom } from "rxjs";

const QUEUE = { durable: false, autoDelete: true };
const SOCKET = { noDelay: true };

/** Its default: the broker forgets a request when it has been sent, so it may be lost. */
export async function serve({ url, queue }) {
  const server = new ServerRMQ({ urls: [url], queue, queueOptions: QUEUE, noAck: true, socketOptions: SOCKET });
  server.addHandler("echo", async (body) => body);
  await new Promise((resolve, reject) => server.listen((error) => (error ? reject(error) : resolve(undefined))));
}

/** Its bodies are JSON: a text of the same size. */
export async function connect({ url, queue }) {
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], queue, queueOptions: QUEUE, socketOptions: SOCKET },
  });
  await client.connect();
  return { call: (body) => firstValueFrom(client.send("echo", body.toString("latin1"))), close: () => client.close() };
}
