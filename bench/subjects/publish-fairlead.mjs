import { product } from "../cells/product.mjs";

const { createMessaging } = await product();
const { rabbitmqDriver } = await product("adapters/rabbitmq");

/** Its defaults, but for the type of the queue, which is that of the others. */
export async function open({ url, queue, queueType, prefetch, onMessage }) {
  const messaging = createMessaging({ driver: rabbitmqDriver({ url, queueType }) });
  const port = messaging.queue(queue);
  await port.consume(async () => onMessage(), { concurrency: prefetch });
  return { publish: (body) => port.publish({ body }), close: () => messaging.close() };
}
