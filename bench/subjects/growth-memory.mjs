import { product } from "../cells/product.mjs";

/** More than the default takes, so that a million can wait. */
const MAX_QUEUE_MESSAGES = 2_000_000;

export async function createDriver() {
  const { memoryDriver } = await product("adapters/memory");
  return memoryDriver({ maxQueueMessages: MAX_QUEUE_MESSAGES, maxQueueBytes: 1_073_741_824 });
}
