import { product } from "../cells/product.mjs";

const { call, createMessaging } = await product();
const { rabbitmqDriver } = await product("adapters/rabbitmq");

/** Its defaults: each response waits for credit when 512 have not been taken. */
export async function serve({ url, queue, bytes }) {
  const body = Buffer.alloc(bytes, 120);
  const messaging = createMessaging({ driver: rabbitmqDriver({ url }) });
  const sink = {
    async signal(request, context) {
      const count = Number(Buffer.from(request.body).toString());
      for (let sent = 0; sent < count; sent += 1) if (!(await context.respond({ body }))) return;
      context.end();
    },
    abort() {},
  };
  await messaging.serve(queue, sink);
}

export async function connect({ url, queue }) {
  const messaging = createMessaging({ driver: rabbitmqDriver({ url }) });
  const sink = messaging.requestSink(queue);
  return {
    stream: (count) => call(sink, { body: Buffer.from(String(count)) }, { timeoutMs: 60_000 }),
    close: () => messaging.close(),
  };
}
