import { randomUUID } from "node:crypto";
import amqp from "amqplib";

/** Without it each small write may wait 40 ms for the other side's. */
const SOCKET = { noDelay: true };
const PREFETCH = 300;

/** Answers, then acknowledges: a request is lost with nobody. */
export async function serve({ url, queue }) {
  const connection = await amqp.connect(url, SOCKET);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: false, autoDelete: true });
  await channel.prefetch(PREFETCH);
  await channel.consume(queue, (message) => {
    const { replyTo, correlationId } = message.properties;
    channel.sendToQueue(replyTo, message.content, { correlationId });
    channel.ack(message);
  });
}

/** An exclusive reply queue, and a table of what is pending. */
export async function connect({ url, queue }) {
  const connection = await amqp.connect(url, SOCKET);
  const channel = await connection.createChannel();
  const { queue: replyTo } = await channel.assertQueue("", { exclusive: true });
  const pending = new Map();
  const onReply = ({ properties: { correlationId }, content }) => {
    pending.get(correlationId)(content);
    pending.delete(correlationId);
  };
  await channel.consume(replyTo, onReply, { noAck: true });
  return {
    call: (body) =>
      new Promise((resolve) => {
        const correlationId = randomUUID();
        pending.set(correlationId, resolve);
        channel.sendToQueue(queue, body, { replyTo, correlationId });
      }),
    close: () => connection.close(),
  };
}
