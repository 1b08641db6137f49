import { product } from "../cells/product.mjs";
import { event } from "./event.mjs";

const POSTED_AT_ONCE = 500;

/** The same event, as the service in this process takes it. */
function toPost() {
  const { clientId, eventJson, userToken, searchKey1, searchKey2 } = event();
  return {
    clientId,
    body: Buffer.from(eventJson),
    userToken,
    searchKey1: BigInt(searchKey1),
    searchKey2: BigInt(searchKey2),
  };
}

/**
 * The event server with its defaults, on memory, or on a file of its own in this directory. So many events have been posted
 * when it is ready.
 * @param {{ directory?: string, waiting?: number }} settings
 */
export async function serveEvents({ directory, waiting = 0 }) {
  const { createMessaging } = await product();
  const { createEventService } = await product("events");
  const { createGrpcGateway } = await product("adapters/grpc");
  const driver =
    directory === undefined
      ? (await product("adapters/memory")).memoryDriver()
      : (await product("adapters/sqlite")).sqliteDriver({ file: `${directory}/${process.pid}.db` });
  const events = createEventService({ messaging: createMessaging({ driver }) });
  for (let left = waiting; left > 0; left -= POSTED_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, POSTED_AT_ONCE) }, () => events.post(toPost())));
  }
  const gateway = createGrpcGateway({ events, listen: "127.0.0.1:0" });
  return { address: await gateway.start() };
}
