import type { Command } from "commander";
import type { ClientSecurityOptions } from "../../adapters/grpc/index.js";
import { LOG_LEVELS } from "../observability/log-level.js";
import type { MessageSelection } from "../ports/inspection.js";
import { readClientFlags } from "./client-flags.js";
import { addClientSecurityFlags, type ClientSecurityFlags, givenSecurityFlags } from "./client-security-flags.js";

const DEFAULT_SERVER = "127.0.0.1:10001";
/** What the port allows at once. */
export const MAX_LIMIT = 100_000;

/** Short names of headers that one would otherwise have to know. */
const HEADER_NAMES: Readonly<Record<string, string>> = {
  client: "event-client-id",
  token: "event-token",
  key1: "event-key1",
  key2: "event-key2",
  reason: "dead-letter-reason",
  queue: "dead-letter-queue",
};

/** What every command can be told that looks into queues. */
export interface OperatorFlags extends ClientSecurityFlags {
  readonly server?: string;
  readonly broker?: string;
  readonly queue?: string;
  readonly where?: readonly string[];
  readonly id?: readonly string[];
  readonly limit?: string;
  readonly json?: boolean;
  readonly timeout: string;
  readonly logLevel: string;
}

/** Where the queues are. */
export type Over = { readonly server: string; readonly security: ClientSecurityOptions } | { readonly broker: string };

export interface OperatorOrder {
  readonly over: Over;
  readonly timeoutMs: number;
  /** As the user named it; undefined: the one of the events. */
  readonly queue: string | undefined;
  readonly selection: MessageSelection & { readonly limit: number };
  readonly json: boolean;
}

export function addOperatorFlags(command: Command, defaultLimit: number): Command {
  const list = (one: string, before: readonly string[] = []): readonly string[] => [...before, one];
  return addPlaceFlags(command)
    .option("--where <key=value>", "only with this header; may be repeated. Short: client, token, key1, key2", list)
    .option("--id <messageId>", "only this message; may be repeated", list)
    .option("--limit <n>", `at most so many, up to ${MAX_LIMIT} (default ${defaultLimit})`);
}

/** Which queue, and how to reach it: for what has no selection. */
export function addPlaceFlags(command: Command): Command {
  return addClientSecurityFlags(command)
    .allowExcessArguments(false)
    .option("--server <host:port>", `through the server that listens there (default ${DEFAULT_SERVER})`)
    .option("--broker <url>", "straight at the broker instead: amqp://…; a sqlite file only while no server has it")
    .option("--queue <name>", "the queue (default: that of the events; with --broker, events)")
    .option("--json", "one line of JSON for each, with everything")
    .option("--timeout <duration>", "how long an answer may take", "30s")
    .option("--log-level <level>", `${LOG_LEVELS.join(", ")}; debug adds stack traces to failures`, "info");
}

/** Reads the shared flags, and adds what is wrong with them to the faults. */
export function readOperatorFlags(flags: OperatorFlags, defaultLimit: number, faults: string[]): OperatorOrder {
  const { server = DEFAULT_SERVER, broker, queue, id, limit, json = false } = flags;
  const { timeoutMs, security } = readClientFlags({ ...flags, server }, faults);
  if (broker !== undefined && flags.server !== undefined) faults.push("--server and --broker: give one of them");
  const [forServers] = givenSecurityFlags(flags);
  if (broker !== undefined && forServers !== undefined)
    faults.push(`${forServers}: belongs to --server, not to --broker`);
  if (broker === "memory:") faults.push("--broker: memory: lives within one process; reach its server with --server");
  if (queue === "") faults.push("--queue: must not be empty");
  if (id?.some((one) => one === "")) faults.push("--id: must not be empty");
  const most = limit === undefined ? defaultLimit : Number(/^\d{1,6}$/.exec(limit)?.[0] ?? 0);
  if (most < 1 || most > MAX_LIMIT) faults.push(`--limit: must be a whole number from 1 to ${MAX_LIMIT}`);
  const headers = readWhere(flags.where ?? [], faults);
  return {
    over: broker === undefined ? { server, security } : { broker },
    timeoutMs,
    queue,
    selection: {
      limit: most,
      ...(id === undefined ? {} : { messageIds: id }),
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
    },
    json,
  };
}

/** Headers by `key=value`, short names in full. */
export function readWhere(where: readonly string[], faults: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const one of where) {
    const at = one.indexOf("=");
    const name = one.slice(0, Math.max(0, at));
    const header = Object.hasOwn(HEADER_NAMES, name) ? (HEADER_NAMES[name] ?? name) : name;
    if (name === "") faults.push(`--where: ${JSON.stringify(one)} must be key=value`);
    else if (Object.hasOwn(headers, header)) faults.push(`--where: ${name} is given twice`);
    else headers[header] = one.slice(at + 1);
    // A key of 0 is not written down.
    if (/^key[12]$/.test(name) && one.slice(at + 1) === "0")
      faults.push(`--where: ${name}=0 is the same as no ${name}`);
  }
  return headers;
}

/** For whoever must know that there may be more. */
export function tellLimit(count: number, limit: number, done: string): void {
  if (count >= limit) process.stderr.write(`fairlead: the limit of ${limit} was ${done}; there may be more\n`);
}

/** Whether it selects more than by number: what takes messages away wants to be told which. */
export function selectsSome({ limit: _, ...selection }: OperatorOrder["selection"]): boolean {
  return Object.keys(selection).length > 0;
}
