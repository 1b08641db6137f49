import { event } from "../grpc/event.mjs";
import { serveBareGrpc } from "../grpc/serve-bare-grpc.mjs";

/** Events that a subscriber may hold unacknowledged: as many as ours allows one that has shown that it keeps up. */
const MOST_OUT = 100;

/** Hands out of an array in turn, and forgets what is acknowledged. Nothing times out, nothing is stored. */
export async function serve({ waiting: count }) {
  const waiting = Array.from({ length: count }, event);
  const out = new Map();
  let next = 0;
  let token = 0;
  const handOut = (subscriber) => {
    for (; subscriber.out < MOST_OUT && next < waiting.length; next += 1) {
      token += 1;
      const userToken = String(token);
      subscriber.out += 1;
      out.set(userToken, subscriber);
      subscriber.stream.write({ ...waiting[next], userToken, futureUserToken: waiting[next].userToken });
      waiting[next] = undefined;
    }
  };
  return await serveBareGrpc({
    SubscribeEvents: (stream) => handOut({ stream, out: 0 }),
    Ack({ request }, answer) {
      const subscriber = out.get(request.userToken);
      out.delete(request.userToken);
      answer(null, {});
      subscriber.out -= 1;
      handOut(subscriber);
    },
  });
}
