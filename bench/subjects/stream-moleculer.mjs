import { Readable } from "node:stream";
import { startMoleculer } from "../peers/start-moleculer.mjs";

export async function serve({ url, queue, bytes }) {
  const body = Buffer.alloc(bytes, 120);
  const stream = ({ params: { count } }) => {
    let sent = 0;
    return new Readable({
      read() {
        sent += 1;
        this.push(sent > count ? null : body);
      },
    });
  };
  await startMoleculer({ url, nodeID: "server", namespace: queue, service: { name: "many", actions: { stream } } });
}

export async function connect({ url, queue, bytes }) {
  const broker = await startMoleculer({ url, nodeID: "client", namespace: queue });
  await broker.waitForServices("many", 20_000);
  return {
    async *stream(count) {
      let received = 0;
      for await (const chunk of await broker.call("many.stream", { count })) {
        // A stream of bytes may join what was sent apart.
        for (received += chunk.length; received >= bytes; received -= bytes) yield chunk;
      }
    },
    close: () => broker.stop(),
  };
}
