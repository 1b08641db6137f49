import { call, callOne, createMessaging, jsonCodec, sinkOf } from "fairlead";
import { memoryDriver } from "fairlead/adapters/memory";

const messaging = createMessaging({ driver: memoryDriver() }); // or rabbitmqDriver({ url: "amqp://localhost" })
const codec = jsonCodec();

// A sink: one request comes in, any number of responses go out.
let sent = 0;
const count = sinkOf(async function* ({ body: { to } }, { signal }) {
  for (let number = 1; number <= to && !signal.aborted; number += 1) {
    sent = number;
    yield { body: { number } };
  }
});
await messaging.serve("count", count, { codec }); // any number of processes may serve it

// The client's end of it. It may be in another process; only the broker must be the same.
const counter = messaging.requestSink("count", { codec });
const one = await callOne(counter, { body: { to: 1 } }, { timeoutMs: 5_000 });
console.log("one:", one.body.number);

// A slow reader: the server is never more than the window ahead of it, however long the stream is.
let sum = 0;
let ahead = 0;
for await (const { body } of call(counter, { body: { to: 100 } }, { timeoutMs: 5_000, window: 10 })) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  sum += body.number;
  ahead = Math.max(ahead, sent - body.number);
}
console.log(`sum: ${sum}, ${ahead <= 11 ? "never far ahead" : `${ahead} ahead`}`);

// Leaving the loop aborts the call, and the server stops working for it.
for await (const { body } of call(counter, { body: { to: 1e9 } }, { timeoutMs: 5_000 })) {
  if (body.number === 3) break;
}
console.log("left:", sent < 10_000);

await messaging.close();
