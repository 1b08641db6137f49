import { product } from "../cells/product.mjs";

const { callOne, createMessaging } = await product();
const { rabbitmqDriver } = await product("adapters/rabbitmq");

/** As many at once as the others' prefetch: its default is 5. */
const CONCURRENCY = { standard: 300 };

export async function serve({ url, queue }) {
  const messaging = createMessaging({ driver: rabbitmqDriver({ url }) });
  const echo = {
    signal(request, context) {
      void context.respond({ body: request.body });
      context.end();
    },
    abort() {},
  };
  await messaging.serve(queue, echo, { concurrency: CONCURRENCY });
}

export async function connect({ url, queue }) {
  const messaging = createMessaging({ driver: rabbitmqDriver({ url }) });
  const sink = messaging.requestSink(queue);
  return { call: (body) => callOne(sink, { body }, { timeoutMs: 30_000 }), close: () => messaging.close() };
}
