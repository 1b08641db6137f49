import { type Command, Option } from "commander";
import { addressFault } from "./address.js";
import { addClientSecurityFlags, type ClientSecurityFlags, readClientSecurityFlags } from "./client-security-flags.js";
import { parseDuration } from "./duration.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import type { LoadOrder } from "./load-run.js";

interface LoadFlags extends ClientSecurityFlags {
  readonly server: readonly string[];
  readonly rate: string;
  readonly warmup: string;
  readonly events: string;
  readonly subscribers: string;
  readonly loops: string;
  readonly size: string;
  readonly timeout: string;
  readonly drain: string;
  readonly json?: boolean;
}

const DEFAULT_SERVER = "127.0.0.1:10001";
/** Each event is remembered. */
const MOST_EVENTS = 10_000_000;
/** More than a server takes by default, so that its refusal can be seen. */
const MOST_BYTES = 67_108_864;

export function addLoadCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const each = (text: string, before: readonly string[]): readonly string[] => [...before, ...text.split(",")];
  const command = program
    .command("load")
    .allowExcessArguments(false)
    .description("Post events at a rate, receive them at the same time, and count what was lost: it must be nothing.")
    .addOption(
      new Option("--server <host:port>", "where fairlead serve listens; several times: servers of one broker")
        .argParser(each)
        .default([], DEFAULT_SERVER),
    )
    .option("--rate <n>", "events per second", "500")
    .option("--warmup <duration>", "how long the rate grows from nothing, along a straight line", "10s")
    .option("--events <n>", "events in each loop", "10000")
    .option("--subscribers <n>", "who receive them, spread over the servers", "3")
    .option("--loops <n>", "how often all of it is done", "1")
    .option("--size <bytes>", "of each event, at least; 0: about 70", "0")
    .option("--timeout <duration>", "nothing came through for so long: the server is gone", "60s")
    .option("--drain <duration>", "nothing came for so long: what is outstanding is lost", "90s")
    .option("--json", "the last line as JSON");
  addClientSecurityFlags(command)
    .addHelpText(
      "after",
      `
Works through restarts of the server: an event whose outcome is unknown is posted again under the same id.
Use a queue of its own, and one run at a time: events of other clients and of runs beside this one are refused, so that
they come again, and may be given up in the end. Those of a run that is over for 30 s are taken away.
Progress goes to standard error, the result to standard output. SIGINT and SIGTERM end the posting; what was posted is
still received.
${EXIT_CODE_HELP}`,
    )
    .action(async (flags: LoadFlags) => {
      const order = readOrder(flags);
      const { load } = await import("./load-run.js");
      onDone(await load(order));
    });
}

function readOrder(flags: LoadFlags): LoadOrder {
  const faults: string[] = [];
  const number = (flag: keyof LoadFlags, least: number, most: number): number => {
    const text = flags[flag];
    const value = typeof text === "string" && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    faults.push(`--${flag}: must be a whole number from ${least} to ${most}`);
    return least;
  };
  const duration = (flag: keyof LoadFlags, least: number): number => {
    const text = flags[flag];
    const ms = (typeof text === "string" ? parseDuration(text) : undefined) ?? -1;
    if (ms < least) faults.push(`--${flag}: must be a duration with a unit, for example 30s or 5m`);
    return ms;
  };
  const servers = flags.server.length === 0 ? [DEFAULT_SERVER] : flags.server;
  for (const server of servers) {
    const fault = addressFault(server, { portZero: false });
    if (fault !== undefined) faults.push(`--server: ${fault}`);
  }
  const order = {
    servers,
    security: readClientSecurityFlags(flags, servers, faults),
    rate: number("rate", 1, 1_000_000),
    warmupMs: duration("warmup", 0),
    events: number("events", 1, MOST_EVENTS),
    subscribers: number("subscribers", 1, 1_000),
    loops: number("loops", 1, 1_000_000),
    sizeBytes: number("size", 0, MOST_BYTES),
    timeoutMs: duration("timeout", 1),
    drainMs: duration("drain", 1),
    json: flags.json ?? false,
  };
  if (order.events * order.loops > MOST_EVENTS) faults.push(`--events times --loops: must be at most ${MOST_EVENTS}`);
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  return order;
}
