import { Connection } from "rabbitmq-client";

const PREFETCH = 300;

export async function serve({ url, queue }) {
  const connection = new Connection({ url, noDelay: true });
  const queueOptions = { durable: false, autoDelete: true };
  const consumer = connection.createConsumer(
    { queue, queueOptions, qos: { prefetchCount: PREFETCH } },
    async ({ body }, reply) => {
      await reply(body);
    },
  );
  await new Promise((resolve) => consumer.once("ready", resolve));
}

/** Without confirms: with them it loses replies that come before the confirm. */
export async function connect({ url, queue }) {
  const connection = new Connection({ url, noDelay: true });
  const client = connection.createRPCClient({ confirm: false, timeout: 30_000 });
  return {
    call: (body) => client.send(queue, body),
    async close() {
      await client.close();
      await connection.close();
    },
  };
}
