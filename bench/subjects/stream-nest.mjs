import { ClientProxyFactory, ServerRMQ, Transport } from "@nestjs/microservices";
import { Observable } from "rxjs";
import { UnboundedQueue } from "../peers/unbounded-queue.mjs";

const QUEUE = { durable: false, autoDelete: true };
const SOCKET = { noDelay: true };
const BURST = 200;

export async function serve({ url, queue, bytes }) {
  const body = "x".repeat(bytes);
  const server = new ServerRMQ({ urls: [url], queue, queueOptions: QUEUE, noAck: true, socketOptions: SOCKET });
  const respond = (count) => (subscriber) => {
    let sent = 0;
    // All at once would leave only when the last was made.
    const burst = () => {
      for (const end = Math.min(count, sent + BURST); sent < end; sent += 1) subscriber.next(body);
      if (sent === count) subscriber.complete();
      else setImmediate(burst);
    };
    burst();
  };
  server.addHandler("stream", async (count) => new Observable(respond(count)));
  await new Promise((resolve, reject) => server.listen((error) => (error ? reject(error) : resolve(undefined))));
}

export async function connect({ url, queue }) {
  const client = ClientProxyFactory.create({
    transport: Transport.RMQ,
    options: { urls: [url], queue, queueOptions: QUEUE, socketOptions: SOCKET },
  });
  await client.connect();
  return {
    stream(count) {
      const items = new UnboundedQueue();
      client.send("stream", count).subscribe({ next: (item) => items.push(item), complete: () => items.end() });
      return items;
    },
    close: () => client.close(),
  };
}
