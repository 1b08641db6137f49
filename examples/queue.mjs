import { createMessaging, jsonCodec } from "fairlead";
import { memoryDriver } from "fairlead/adapters/memory";

// The only line that knows the broker: or rabbitmqDriver({ url: "amqp://localhost" }).
const messaging = createMessaging({ driver: memoryDriver() });
const orders = messaging.queue("orders", { codec: jsonCodec() });

await orders.publish({ body: { id: 7 } }); // resolves once the broker has it

let done;
const handled = new Promise((resolve) => {
  done = resolve;
});
await orders.consume(
  async ({ body, attempt, signal }) => {
    console.log(`order ${body.id}, attempt ${attempt}, ${signal.aborted ? "lost" : "ours"}`);
    if (attempt === 1) throw new Error("the shop is closed"); // again, with back-off; after 5 attempts to orders.dead
    done();
  },
  { concurrency: 10 },
);

await handled;
await messaging.close(); // handlers finish, what has not started goes back
