import { readFileSync } from "node:fs";
import { waitUntil } from "./wait-until.js";

/** One process, told apart from a later one that was given the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The kernel's start time of the process; `-` where there is no /proc. */
  readonly startTime: string;
}

/** Undefined if there is no such process, or only its zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  if (stat === "unknown") return answersSignals(pid) ? { pid, startTime: "-" } : undefined;
  return stat === undefined ? undefined : { pid, startTime: stat.startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startTime === identity.startTime;
}

/** Sends the signal to this process and no other; one that is gone is no error. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** SIGTERM, and SIGKILL when that did not end it in time. Resolves when it is gone. */
export async function endProcess(identity: ProcessIdentity, gracefulMs: number): Promise<void> {
  signalProcess(identity, "SIGTERM");
  // A stopped process does not see SIGTERM until it goes on.
  signalProcess(identity, "SIGCONT");
  const deadline = Date.now() + gracefulMs;
  await waitUntil(() => !isAlive(identity) || Date.now() > deadline, {
    what: `process ${identity.pid} to end`,
    timeoutMs: gracefulMs + 1_000,
  });
  await killProcess(identity);
}

/** SIGKILL. Resolves when it is gone. */
export async function killProcess(identity: ProcessIdentity): Promise<void> {
  signalProcess(identity, "SIGKILL");
  await waitUntil(() => !isAlive(identity), { what: `process ${identity.pid} to be gone`, timeoutMs: 10_000 });
}

function readStat(pid: number): { readonly startTime: string } | "unknown" | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name stands in parentheses and may hold anything; after it come state (3rd) … start time (22nd).
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const startTime = fields[19];
    if (startTime === undefined) return "unknown";
    return fields[0] === "Z" || fields[0] === "X" ? undefined : { startTime };
  } catch {
    return process.platform === "linux" ? undefined : "unknown";
  }
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isMissing(error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}
