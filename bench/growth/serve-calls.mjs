import { product } from "../cells/product.mjs";

const { callOne, createMessaging } = await product();
const TIMEOUT_MS = 120_000;
const BODY_BYTES = 100;
/** Of a request: leave it without an answer. */
const HOLD = 1;
/** Calls that are answered at once, beside those that are held. */
const ROOM = 512;

/** A server and a caller over one broker. What is held stays without an answer until the end. */
export async function serveCalls({ driver, size, queue }) {
  const messaging = createMessaging({ driver });
  const held = [];
  let onHeld = () => {};
  const sink = {
    signal(request, context) {
      if (request.body[0] === HOLD) {
        held.push(context);
        onHeld();
        return;
      }
      void context.respond({ body: request.body });
      context.end();
    },
    abort() {},
  };
  await messaging.serve(queue, sink, { concurrency: { standard: size + ROOM } });
  const caller = messaging.requestSink(queue);
  const answered = new Uint8Array(BODY_BYTES);
  return {
    caller,
    toHold: new Uint8Array(BODY_BYTES).fill(HOLD),
    call: () => callOne(caller, { body: answered }, { timeoutMs: TIMEOUT_MS }),
    /** Resolves when so many calls are held. */
    async untilHeld(count) {
      if (held.length >= count) return;
      await new Promise((resolve) => {
        onHeld = () => {
          if (held.length >= count) resolve(undefined);
        };
      });
    },
  };
}
