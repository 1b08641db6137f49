import amqp from "amqplib";
import { removeQueues } from "./remove-queues.mjs";

/** Until a broker has answered; one that cannot be reached would leave the run waiting for minutes. */
const CONNECT_MS = 10_000;

/**
 * @typedef {object} Broker
 * @property {string} url with a user
 * @property {number | undefined} pid of a private node
 * @property {string} version
 * @property {(name: string) => Promise<void>} removeQueues what subjects have made under this name
 * @property {() => Promise<void>} stop ends a private node, and no other
 */

/**
 * The RabbitMQ at this URL, or a private node that ends at the latest with this process.
 * @param {string | undefined} url
 * @returns {Promise<Broker>}
 */
export async function findBroker(url) {
  if (url !== undefined) return describe(url, undefined, async () => {});
  const { startRabbitmq } = await import("../../dist/tools/rabbitmq/index.js");
  const node = await startRabbitmq();
  try {
    return await describe(node.url, node.pid, () => node.stop());
  } catch (error) {
    await node.stop();
    throw error;
  }
}

/**
 * @param {string} text
 * @param {number | undefined} pid
 * @param {() => Promise<void>} stop
 * @returns {Promise<Broker>}
 */
async function describe(text, pid, stop) {
  const url = new URL(text);
  // Not every library knows the user that all brokers begin with.
  if (url.username === "") [url.username, url.password] = ["guest", "guest"];
  const connection = await amqp.connect(url.href, { timeout: CONNECT_MS });
  const { version } = connection.connection.serverProperties;
  await connection.close();
  return { url: url.href, pid, version, removeQueues: (name) => tryToRemove(url.href, name), stop };
}

/** What was measured has been, also where the broker is gone. */
async function tryToRemove(/** @type {string} */ url, /** @type {string} */ name) {
  try {
    await removeQueues(url, name);
  } catch (error) {
    process.stderr.write(`the queues ${name} may be left: ${error.message}\n`);
  }
}
