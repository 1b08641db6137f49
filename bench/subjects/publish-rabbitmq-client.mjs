import { Connection } from "rabbitmq-client";

/** A connection each way; its consumer acknowledges when the handler returns. */
export async function open({ url, queue, queueType, prefetch, onMessage }) {
  const [publishing, consuming] = [new Connection(url), new Connection(url)];
  const queueOptions = { durable: true, arguments: { "x-queue-type": queueType } };
  const publisher = publishing.createPublisher({ confirm: true, queues: [{ queue, ...queueOptions }] });
  const consumer = consuming.createConsumer({ queue, queueOptions, qos: { prefetchCount: prefetch } }, async () =>
    onMessage(),
  );
  await new Promise((resolve) => consumer.once("ready", resolve));
  return {
    publish: (body) => publisher.send({ routingKey: queue, durable: true }, body),
    async close() {
      await consumer.close();
      await publisher.close();
      await Promise.all([publishing.close(), consuming.close()]);
    },
  };
}
