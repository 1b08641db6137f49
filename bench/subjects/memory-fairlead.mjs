import { product } from "../cells/product.mjs";

const { createMessaging } = await product();
const { memoryDriver } = await product("adapters/memory");

export async function open({ window, onMessage }) {
  const messaging = createMessaging({ driver: memoryDriver() });
  const queue = messaging.queue("bench");
  await queue.consume(async () => onMessage(), { concurrency: window });
  const message = { body: new Uint8Array(100) };
  return { publish: () => queue.publish(message), close: () => messaging.close() };
}
