import { connect } from "amqp-connection-manager";

/** Its channel wrappers, which set themselves up again; the promise for each publish is the library's. */
export async function open({ url, queue, queueType, prefetch, onMessage }) {
  const [publishing, consuming] = [connect(url), connect(url)];
  const setup = (channel) => channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": queueType } });
  const publisher = publishing.createChannel({ setup });
  const consumer = consuming.createChannel({ setup, confirm: false });
  await Promise.all([publisher.waitForConnect(), consumer.waitForConnect()]);
  const onDelivery = (message) => {
    onMessage();
    consumer.ack(message);
  };
  await consumer.consume(queue, onDelivery, { prefetch });
  return {
    publish: (body) => publisher.sendToQueue(queue, body, { persistent: true }),
    async close() {
      await consuming.close();
      await publishing.close();
    },
  };
}
