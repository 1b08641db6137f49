import { randomUUID } from "node:crypto";
import { Client, credentials } from "@grpc/grpc-js";
import { loadEvents } from "../grpc/protocols.mjs";
import { serveEvents } from "../grpc/serve-events.mjs";

const BODY = Buffer.alloc(1_024, 120);

export const serve = ({ directory }) => serveEvents({ directory });

/** Each with an id of its own, so that it may be sent again. */
export async function connect({ address }) {
  const run = randomUUID();
  let number = 0;
  return connectWith(address, () => {
    number += 1;
    return { body: BODY, postId: `${run}-${number}` };
  });
}

/** Posts what `next` makes. `onAnswered` is told how many more have been stored. */
export function connectWith(address, next) {
  const Events = loadEvents();
  const client = new Events(address, credentials.createInsecure());
  return {
    open(onAnswered, onError) {
      const stream = client.PostEvents();
      stream.on("data", ({ results }) => {
        let answered = 0;
        for (const { first, last, status, message } of results) {
          if (status) onError(new Error(message));
          answered += last - first + 1;
        }
        onAnswered(answered);
      });
      stream.on("error", onError);
      return {
        write: (count) => stream.write({ events: Array.from({ length: count }, next) }),
        end: () => stream.end(),
      };
    },
    close: () => Client.prototype.close.call(client),
  };
}
