import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { addClientFlags, type ClientFlags, readClientFlags, readCount } from "./client-flags.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import type { SubscriberOrder } from "./subscriber-run.js";

interface SubscribeFlags extends ClientFlags {
  readonly client?: string;
  readonly count?: string;
  readonly nack?: boolean;
}

export function addSubscribeCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("subscribe")
    .allowExcessArguments(false)
    .description("Receive events: each is printed as one line of JSON, and acknowledged.")
    .option("--client <id>", "who receives; a newer stream of the same id ends the older (default random)")
    .option("--count <n>", "end after so many different events (default: at SIGINT or SIGTERM)")
    .option("--nack", "refuse each event instead: it comes again by the server's retry schedule");
  addClientFlags(command, "how long to wait for the server at the start; once there, it is waited for without limit")
    .addHelpText(
      "after",
      `
At the end, one line goes to standard error: N received, N acked, N duplicates
Duplicates are told by the user token of the post (futureUserToken), among the last 1,000,000.
${EXIT_CODE_HELP}`,
    )
    .action(async (flags: SubscribeFlags) => {
      const order = readOrder(flags);
      const { subscribe } = await import("./subscribe-run.js");
      onDone(await subscribe(order));
    });
}

function readOrder(flags: SubscribeFlags): SubscriberOrder {
  const faults: string[] = [];
  const { timeoutMs, security } = readClientFlags(flags, faults);
  const count = flags.count === undefined ? Number.POSITIVE_INFINITY : readCount(flags.count, faults);
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  const { server, client = `fairlead-subscribe-${randomUUID()}`, nack = false } = flags;
  return { server, security, clientId: client, timeoutMs, count, success: !nack };
}
