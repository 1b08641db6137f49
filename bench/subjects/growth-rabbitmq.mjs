import { product } from "../cells/product.mjs";

export async function createDriver({ url }) {
  const { rabbitmqDriver } = await product("adapters/rabbitmq");
  return rabbitmqDriver({ url });
}
