import { randomUUID } from "node:crypto";
import amqp from "amqplib";
import { UnboundedQueue } from "../peers/unbounded-queue.mjs";

/** Without it each small write may wait 40 ms for the other side's. */
const SOCKET = { noDelay: true };
/** Responses that are written before the loop is given a turn. */
const BURST = 200;
/** A table costs as much as everything else of a small message: only the last response has one. */
const LAST = { last: true };

export async function serve({ url, queue, bytes }) {
  const body = Buffer.alloc(bytes, 120);
  const connection = await amqp.connect(url, SOCKET);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: false, autoDelete: true });
  await channel.consume(queue, async (message) => {
    const { replyTo, correlationId } = message.properties;
    const count = Number(message.content.toString());
    for (let sent = 1; sent <= count; sent += 1) {
      const isLast = sent === count;
      const hasRoom = channel.sendToQueue(replyTo, body, isLast ? { correlationId, headers: LAST } : { correlationId });
      if (!hasRoom) await new Promise((resolve) => channel.once("drain", resolve));
      else if (sent % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    channel.ack(message);
  });
}

/** An exclusive reply queue. Nothing holds the server back. */
export async function connect({ url, queue }) {
  const connection = await amqp.connect(url, SOCKET);
  const channel = await connection.createChannel();
  const { queue: replyTo } = await channel.assertQueue("", { exclusive: true });
  const streams = new Map();
  const onReply = ({ content, properties: { correlationId, headers } }) => {
    const items = streams.get(correlationId);
    items.push(content);
    if (!headers.last) return;
    items.end();
    streams.delete(correlationId);
  };
  await channel.consume(replyTo, onReply, { noAck: true });
  return {
    stream(count) {
      const correlationId = randomUUID();
      const items = new UnboundedQueue();
      streams.set(correlationId, items);
      channel.sendToQueue(queue, Buffer.from(String(count)), { replyTo, correlationId });
      return items;
    },
    close: () => connection.close(),
  };
}
