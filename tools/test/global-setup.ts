import { connectRabbitmqNode, startRabbitmq } from "../rabbitmq/index.js";
import { RABBITMQ_STATE_VARIABLE, RABBITMQ_URL_VARIABLE } from "./broker-project.js";

/** Starts one RabbitMQ node for the run, unless whoever started the run gave it one. Workers inherit the variables. */
export async function setup(): Promise<() => Promise<void>> {
  const given = process.env[RABBITMQ_STATE_VARIABLE];
  if (given !== undefined) {
    process.env[RABBITMQ_URL_VARIABLE] = connectRabbitmqNode(given).url;
    return async () => {};
  }
  const node = await startRabbitmq();
  process.env[RABBITMQ_URL_VARIABLE] = node.url;
  process.env[RABBITMQ_STATE_VARIABLE] = node.stateFile;
  return () => node.stop();
}
