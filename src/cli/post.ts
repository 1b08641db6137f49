import type { Command } from "commander";
import { errorText } from "../util/error-text.js";
import { parseJson } from "../util/parse-json.js";
import { addClientFlags, type ClientFlags, readClientFlags, readCount } from "./client-flags.js";
import { EXIT_CODE_HELP, type ExitCode } from "./exit-code.js";
import { BadInput } from "./failure.js";
import { parseInt64 } from "./int64.js";
import { parseIsoDate } from "./iso-date.js";
import type { PostOrder } from "./post-run.js";

interface PostFlags extends ClientFlags {
  readonly count: string;
  readonly client: string;
  readonly key1: string;
  readonly key2: string;
  readonly at?: string;
}

export function addPostCommand(program: Command, onDone: (code: ExitCode) => void): void {
  const command = program
    .command("post")
    .allowExcessArguments(false)
    .description("Post an event, and print how many were posted: N posted.")
    .argument("<json>", "the event, any JSON; it travels as it is written")
    .option("--count <n>", "post it so many times, each under a user token of its own", "1")
    .option("--at <date>", "not delivered before, ISO 8601, for example 2030-01-31T12:00:00Z; without a zone, UTC")
    .option("--key1 <n>", "search key 1, a signed 64-bit number", "0")
    .option("--key2 <n>", "search key 2, a signed 64-bit number", "0")
    .option("--client <id>", "who posts", "fairlead-post");
  addClientFlags(command, "how long each event is tried again while the server is unavailable")
    .addHelpText("after", EXIT_CODE_HELP)
    .action(async (json: string, flags: PostFlags) => {
      const order = readOrder(json, flags);
      const { post } = await import("./post-run.js");
      onDone(await post(order));
    });
}

function readOrder(json: string, flags: PostFlags): PostOrder {
  const faults: string[] = [];
  const { timeoutMs, security } = readClientFlags(flags, faults);
  const count = readCount(flags.count, faults);
  try {
    parseJson(json);
  } catch (error) {
    faults.push(`<json>: is not JSON (${errorText(error)})`);
  }
  const key = (flag: "key1" | "key2"): string => {
    const value = parseInt64(flags[flag]);
    if (value === undefined) faults.push(`--${flag}: must be a whole number from -2^63 to 2^63 - 1`);
    return String(value);
  };
  const [searchKey1, searchKey2] = [key("key1"), key("key2")];
  const date = flags.at === undefined ? undefined : parseIsoDate(flags.at);
  if (flags.at !== undefined && date === undefined) {
    faults.push("--at: must be an ISO 8601 date that exists, for example 2030-01-31T12:00:00Z");
  }
  if (faults.length > 0) throw new BadInput(faults.join("; "));
  const effectiveDate = date === undefined ? null : { seconds: String(date.seconds), nanos: date.nanos };
  const event = { clientId: flags.client, eventJson: json, searchKey1, searchKey2, effectiveDate };
  return { server: flags.server, security, timeoutMs, count, event };
}
