import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { MAX_WINDOW } from "../core/request/call-options.js";
import { LOG_LEVELS } from "../observability/log-level.js";
import type { Priority } from "../ports/message.js";
import { errorText } from "../util/error-text.js";
import { parseJson } from "../util/parse-json.js";
import { readClientFlags } from "./client-flags.js";
import { addClientSecurityFlags, type ClientSecurityFlags, givenSecurityFlags } from "./client-security-flags.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import type { RequestOrder } from "./request-run.js";

interface RequestFlags extends ClientSecurityFlags {
  readonly server?: string;
  readonly broker?: string;
  readonly timeout: string;
  readonly priority: string;
  readonly window?: string;
  readonly idempotent?: boolean;
  readonly logLevel: string;
}

const DEFAULT_SERVER = "127.0.0.1:10001";
const PRIORITIES: readonly Priority[] = ["bulk", "standard", "expedite"];

export function addRequestCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("request")
    .allowExcessArguments(false)
    .description("Send a request to a sink, and print each response as it comes, one line of JSON each.")
    .argument("<name>", "of the sink")
    .argument("<json>", "the request: JSON, or @file that holds it")
    .option("--server <host:port>", `over gRPC, where fairlead serve listens (default ${DEFAULT_SERVER})`)
    .option("--broker <url>", "straight over the broker instead: amqp://… or amqps://…")
    .option("--timeout <duration>", "the call ends then, unless responses come: each moves it to 10 s from then", "30s")
    .option("--priority <lane>", `${PRIORITIES.join(", ")}: lanes that do not hold each other up`, "standard")
    .option("--window <n>", `responses that may be on their way unread, 1 to ${MAX_WINDOW} (default 512)`)
    .option(
      "--idempotent",
      "running it twice does no harm: it moves on if its server is lost before the first response",
    )
    .option("--log-level <level>", `${LOG_LEVELS.join(", ")}; debug adds stack traces to failures`, "info");
  addClientSecurityFlags(command)
    .addHelpText(
      "after",
      `
A response that is text is printed as a JSON string, any other as {"contentType", "bytes", "base64"}.
With the first response, one line goes to standard error: fairlead: answered by node=ID pid=N
Ctrl-C aborts the call: its server is told, and the exit code is 130.
${EXIT_CODE_HELP}`,
    )
    .action(async (name: string, json: string, flags: RequestFlags) => {
      const order = readOrder(name, json, flags);
      const { request } = await import("./request-run.js");
      onDone(await request(order));
    });
}

function readOrder(name: string, json: string, flags: RequestFlags): RequestOrder {
  const faults: string[] = [];
  const { broker, idempotent = false } = flags;
  const server = flags.server ?? DEFAULT_SERVER;
  const { timeoutMs, security } = readClientFlags({ ...flags, server }, faults);
  if (broker !== undefined && flags.server !== undefined) faults.push("--server and --broker: give one of them");
  const [forServers] = givenSecurityFlags(flags);
  if (broker !== undefined && forServers !== undefined)
    faults.push(`${forServers}: belongs to --server, not to --broker`);
  if (name === "") faults.push("<name>: must not be empty");
  const priority = PRIORITIES.find((one) => one === flags.priority);
  if (priority === undefined) faults.push(`--priority: must be one of ${PRIORITIES.join(", ")}`);
  const window = flags.window === undefined ? undefined : Number(/^\d{1,4}$/.exec(flags.window)?.[0] ?? 0);
  if (window !== undefined && !(window >= 1 && window <= MAX_WINDOW)) {
    faults.push(`--window: must be a whole number from 1 to ${MAX_WINDOW}`);
  }
  const body = readBody(json, faults);
  if (faults.length > 0 || body === undefined) throw new BadInput(faults.join("; "));
  return {
    name,
    body,
    over: broker === undefined ? { server, security } : { broker },
    timeoutMs,
    priority,
    window,
    idempotent,
  };
}

/** The text of the request, as it is written. */
function readBody(json: string, faults: string[]): string | undefined {
  let text = json;
  const what = json.startsWith("@") ? `<json>: ${json}` : "<json>:";
  try {
    if (json.startsWith("@")) text = readFileSync(json.slice(1), "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    faults.push(`${what} cannot be read: ${errorText(error)}`);
    return undefined;
  }
  try {
    parseJson(text);
    return text;
  } catch (error) {
    faults.push(`${what} is not JSON (${errorText(error)})`);
    return undefined;
  }
}
