import { ServiceBroker } from "moleculer";

/** A node of Moleculer on RabbitMQ. Its default prefetch of 1 would hide everything else: 23 requests per second. */
export async function startMoleculer({ url, nodeID, namespace, service }) {
  const broker = new ServiceBroker({
    nodeID,
    namespace,
    logger: false,
    transporter: {
      type: "AMQP",
      options: { url, prefetch: 300, socketOptions: { noDelay: true }, autoDeleteQueues: 10_000 },
    },
    requestTimeout: 30_000,
    // They wait behind a stream that is not read as fast as it comes: after the default of 15 s its server is given up.
    heartbeatTimeout: 60,
  });
  if (service !== undefined) broker.createService(service);
  await broker.start();
  return broker;
}
