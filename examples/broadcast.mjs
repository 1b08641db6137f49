import { createMessaging, jsonCodec } from "fairlead";
import { memoryBroker, memoryDriver } from "fairlead/adapters/memory";

// Two nodes on one broker. In life they are two processes on one RabbitMQ.
const broker = memoryBroker();
const tokyo = createMessaging({ driver: memoryDriver({ broker }), nodeId: "tokyo" });
const osaka = createMessaging({ driver: memoryDriver({ broker }), nodeId: "osaka" });

const heard = [];
for (const node of [tokyo, osaka]) {
  await node.broadcast("cache", { codec: jsonCodec() }).subscribe(({ body }) => {
    heard.push(`${node.nodeId}: ${body}`);
  });
}

const cache = tokyo.broadcast("cache", { codec: jsonCodec() });
await cache.publish({ body: "drop everything" }); // to every node
await cache.publish({ body: "reload" }, { node: "osaka" }); // to that node only

while (heard.length < 3) await new Promise((resolve) => setImmediate(resolve));
console.log(heard.sort().join("\n"));
await Promise.all([tokyo.close(), osaka.close()]);
