import type { Command } from "commander";
import type { ClientSecurityOptions } from "../../adapters/grpc/index.js";
import { LOG_LEVELS } from "../observability/log-level.js";
import { addressFault } from "./address.js";
import { CallFailed } from "./call-failed.js";
import { addClientSecurityFlags, type ClientSecurityFlags, readClientSecurityFlags } from "./client-security-flags.js";
import { parseDuration } from "./duration.js";
import { showStacks } from "./failure.js";

/** What every command that talks to a server can be told. Texts, as commander hands them over. */
export interface ClientFlags extends ClientSecurityFlags {
  readonly server: string;
  readonly timeout: string;
  readonly logLevel: string;
}

export function addClientFlags(command: Command, timeoutHelp: string): Command {
  return addClientSecurityFlags(command)
    .option("--server <host:port>", "where fairlead serve listens", "127.0.0.1:10001")
    .option("--timeout <duration>", timeoutHelp, "30s")
    .option("--log-level <level>", `${LOG_LEVELS.join(", ")}; debug adds stack traces to failures`, "info");
}

/** Reads the shared flags, and adds what is wrong with them to the faults. */
export function readClientFlags(
  flags: ClientFlags,
  faults: string[],
): { readonly timeoutMs: number; readonly security: ClientSecurityOptions } {
  const { server, timeout, logLevel } = flags;
  const fault = addressFault(server, { portZero: false });
  if (fault !== undefined) faults.push(`--server: ${fault}`);
  const timeoutMs = parseDuration(timeout) ?? 0;
  if (timeoutMs <= 0) faults.push("--timeout: must be a duration with a unit, for example 30s or 5m");
  if (!LOG_LEVELS.some((level) => level === logLevel)) {
    faults.push(`--log-level: must be one of ${LOG_LEVELS.join(", ")}`);
  }
  showStacks(logLevel === "debug");
  return { timeoutMs, security: readClientSecurityFlags(flags, [server], faults) };
}

/** A count from 1 up, or what is wrong with it. */
export function readCount(text: string, faults: string[]): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (count < 1) faults.push("--count: must be a whole number, at least 1");
  return count;
}

/** What was attempted, what came of it, and what to look at. */
export function serverFailure(error: CallFailed, what: string, server: string): CallFailed {
  const hints: Readonly<Record<string, string>> = {
    UNAVAILABLE: `; is fairlead serve running at ${server}?`,
    UNAUTHENTICATED: "; see --token-file",
  };
  const hint = hints[error.status] ?? "";
  // What the library says here is how its time was spent.
  const told = error.status === "DEADLINE_EXCEEDED" ? new CallFailed(error.status, "no answer in time") : error;
  return told.during(`${what} ${server}`, hint);
}
