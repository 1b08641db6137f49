// A handler that hangs. Serve it: npx fairlead serve --sink examples/hang.mjs
import { pathToFileURL } from "node:url";
import { callOne, createMessaging, jsonCodec, sinkOf } from "fairlead";
import { memoryDriver } from "fairlead/adapters/memory";

export const sinks = {
  hang: sinkOf(async function* ({ body: { hang } }) {
    if (hang) await new Promise(() => {}); // for ever, and deaf to its signal
    yield { body: "here I am" };
  }),
};
// One call at a time, so that a slot that never came back would show.
export const options = { hang: { concurrency: { expedite: 1, standard: 1, bulk: 1 } } };

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const messaging = createMessaging({ driver: memoryDriver() });
  await messaging.serve("hang", sinks.hang, { codec: jsonCodec(), ...options.hang });
  const sink = messaging.requestSink("hang", { codec: jsonCodec() });
  const hung = await callOne(sink, { body: { hang: true } }, { timeoutMs: 300 }).catch((error) => error);
  console.log("hung:", hung.code); // the deadline ends the call, whatever its handler does
  const answered = await callOne(sink, { body: { hang: false } }, { timeoutMs: 5_000 });
  console.log("then:", answered.body); // its slot is free again
  await messaging.close();
}
