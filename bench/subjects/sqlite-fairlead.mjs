import { product } from "../cells/product.mjs";

const { createMessaging } = await product();
const { sqliteDriver } = await product("adapters/sqlite");

/** With its defaults, so what is over is kept for operators, which the raw one does not do. */
export async function open({ window, onMessage, directory, driver = {} }) {
  const messaging = createMessaging({ driver: sqliteDriver({ file: `${directory}/${process.pid}.db`, ...driver }) });
  const queue = messaging.queue("bench");
  await queue.consume(async () => onMessage(), { concurrency: window });
  const message = { body: new Uint8Array(1_024) };
  return { publish: () => queue.publish(message), close: () => messaging.close() };
}
