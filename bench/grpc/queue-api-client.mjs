import { Client, credentials } from "@grpc/grpc-js";
import { event } from "./event.mjs";
import { loadQueueApi } from "./protocols.mjs";

/** The same client for every server that speaks QueueApi. */
export function queueApiClient({ address }) {
  const QueueApi = loadQueueApi();
  const client = new QueueApi(address, credentials.createInsecure());
  return {
    post: () =>
      new Promise((resolve, reject) => {
        client.PostEvent(event(), (error) => (error ? reject(error) : resolve()));
      }),
    /** Acknowledges each event by a call of its own, as soon as it comes. */
    subscribe(clientId, { onAcked, onError }) {
      const stream = client.SubscribeEvents({ clientId });
      stream.on("data", ({ userToken }) => {
        client.Ack({ userToken, success: true }, (error) => (error ? onError(error) : onAcked()));
      });
      stream.on("error", onError);
    },
    // QueueApi has a call of its own by this name.
    close: () => Client.prototype.close.call(client),
  };
}
