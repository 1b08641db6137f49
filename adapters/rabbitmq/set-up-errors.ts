import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type AmqpConnectionClass, type AmqpConnectionState, PRODUCT } from "./amqp.js";

const errors = new WeakMap<AmqpConnectionState, Error>();
let isListening = false;

/**
 * Has errors of connections of ours that are being set up noted from now on; those of others are left alone. amqplib goes on reading before it hands a connection over:
 * what comes in one read with the last answer of the set-up, and is wrong, would end the process, since nobody can have listened.
 */
export function noteSetUpErrors(): void {
  if (isListening) return;
  isListening = true;
  const connections = connectionClass();
  if (connections === undefined) return;
  const { open } = connections.prototype;
  connections.prototype.open = function (fields, ...more) {
    const note = (error: Error): void => {
      if (!errors.has(this)) errors.set(this, error);
    };
    if (fields.clientProperties.product === PRODUCT) this.on("error", note);
    return open.call(this, fields, ...more);
  };
}

/** The first error of a connection, before or after it was handed over. */
export function setUpErrorOf(connection: AmqpConnectionState): Error | undefined {
  return errors.get(connection);
}

/** Not among what amqplib exports; undefined where its files are not to be found, as in a bundle. */
function connectionClass(): AmqpConnectionClass | undefined {
  const load = createRequire(import.meta.url);
  try {
    const file = join(dirname(load.resolve("amqplib")), "lib", "connection.js");
    return (load(file) as { readonly Connection: AmqpConnectionClass }).Connection;
  } catch {
    return undefined;
  }
}
