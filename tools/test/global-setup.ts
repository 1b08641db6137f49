import { connectRabbitmqNode, startRabbitmq } from "../rabbitmq/index.js";
import { BROKER_TURNS_VARIABLE, RABBITMQ_STATE_VARIABLE } from "./broker-project.js";
import { startBrokerTurns } from "./broker-turns.js";

/** More of them make each other slow. */
const AT_ONCE = 3;

/**
 * Starts one RabbitMQ node for the run, unless whoever started the run gave it one. Tests that need none do not wait for
 * it: its turns are asked for by way of a variable, which workers inherit.
 */
export async function setup(): Promise<() => Promise<void>> {
  // Another project has done so.
  if (process.env[BROKER_TURNS_VARIABLE] !== undefined) return async () => {};
  const given = process.env[RABBITMQ_STATE_VARIABLE];
  const own = given === undefined ? startRabbitmq() : undefined;
  const node = own ?? Promise.resolve(connectRabbitmqNode(given ?? ""));
  const turns = await startBrokerTurns(AT_ONCE, node);
  process.env[BROKER_TURNS_VARIABLE] = String(turns.port);
  return async () => {
    delete process.env[BROKER_TURNS_VARIABLE];
    await turns.stop();
    // Where it did not start, each file has said why.
    await own?.then(
      (started) => started.stop(),
      () => undefined,
    );
  };
}
