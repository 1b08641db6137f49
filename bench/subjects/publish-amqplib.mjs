import amqp from "amqplib";

/** As most people write it: a connection each way, a promise for each confirm, an ack for each message. */
export async function open({ url, queue, queueType, prefetch, onMessage }) {
  const [publishing, consuming] = [await amqp.connect(url), await amqp.connect(url)];
  const channel = await publishing.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": queueType } });
  const consumer = await consuming.createChannel();
  await consumer.prefetch(prefetch);
  await consumer.consume(queue, (message) => {
    onMessage();
    consumer.ack(message);
  });
  return {
    publish: (body) =>
      new Promise((resolve, reject) => {
        channel.sendToQueue(queue, body, { persistent: true }, (error) => (error ? reject(error) : resolve()));
      }),
    async close() {
      await consuming.close();
      await publishing.close();
    },
  };
}
