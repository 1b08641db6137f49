import { chooseRabbitmq } from "./choose-rabbitmq.js";
import { describeMachine } from "./describe-machine.js";
import { installWithApt } from "./install-with-apt.js";

/** What a node can be started from. */
export type RabbitmqSource =
  | { readonly kind: "native"; readonly serverDirectory: string }
  | { readonly kind: "docker" };

/**
 * RabbitMQ on this machine: what is installed; else installed now on Debian or Ubuntu, where this user may; else
 * Docker. Rejects with an error that lists these ways.
 */
export async function findRabbitmq(): Promise<RabbitmqSource> {
  const machine = await describeMachine();
  const choice = chooseRabbitmq(machine);
  if (choice.kind === "native" || choice.kind === "docker") return choice;
  if (choice.kind === "none") throw new Error(choice.message);

  const failure = await installWithApt(choice.sudo);
  const next = chooseRabbitmq({
    ...(await describeMachine()),
    installFailure: failure ?? "rabbitmq-server is still missing",
  });
  if (next.kind === "native" || next.kind === "docker") return next;
  throw new Error(next.kind === "none" ? next.message : "RabbitMQ could not be installed");
}
