import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { notedProcesses, noteProcess } from "../process/process-guard.js";
import { endProcess, isAlive, killProcess, type ProcessIdentity, signalProcess } from "../process/process-identity.js";
import { runCommand } from "../process/run-command.js";
import { ensureEpmd } from "./epmd.js";
import { type NativeFiles, nativeEnvironment, nodeLogOf, pidFileOf, writeNativeFiles } from "./native-environment.js";
import { lastLines, type NodeHost } from "./node-host.js";
import { type NativeState, readState, stateFileOf, writeState } from "./node-state.js";

const TERMINATE_MS = 15_000;

/** Lays out the directory; nothing is started yet. */
export function prepareNative(state: Omit<NativeState, "broker">, files?: NativeFiles): NodeHost {
  writeNativeFiles(state.directory, files);
  writeState({ ...state, broker: undefined });
  return createNativeHost(stateFileOf(state.directory));
}

export function createNativeHost(stateFile: string): NodeHost {
  const state = (): NativeState => {
    const read = readState(stateFile);
    if (read.kind !== "native") throw new Error(`${stateFile} is not of a native node`);
    return read;
  };
  const broker = (): ProcessIdentity => {
    const { broker: identity, directory } = state();
    if (identity === undefined) throw new Error(`the node in ${directory} was never launched`);
    return identity;
  };
  return {
    state,
    running: async () => {
      const { broker: identity } = state();
      return identity !== undefined && isAlive(identity);
    },
    async launch() {
      const current = state();
      await ensureEpmd(current.directory, current.epmdPort, nativeEnvironment(current));
      const pid = spawnBroker(current);
      writeState({ ...current, broker: noteProcess(current.directory, pid) ?? { pid, startTime: "gone" } });
    },
    async adopt() {
      const current = state();
      const pid = Number.parseInt(readFileSync(pidFileOf(current.directory), "utf8"), 10);
      if (pid !== current.broker?.pid) writeState({ ...current, broker: noteProcess(current.directory, pid) });
    },
    terminate: () => endProcess(broker(), TERMINATE_MS),
    kill: () => killProcess(broker()),
    freeze: async () => signalProcess(broker(), "SIGSTOP"),
    thaw: async () => signalProcess(broker(), "SIGCONT"),
    control: (commandArguments, timeoutMs) => runControl(state(), commandArguments, timeoutMs),
    logEnd: async () => lastLines(readFileSync(nodeLogOf(state().directory), "utf8")),
    async discard() {
      await Promise.all(notedProcesses(state().directory).map(killProcess));
    },
  };
}

function spawnBroker(state: NativeState): number {
  const log = openSync(nodeLogOf(state.directory), "a");
  try {
    // In a session of its own, so that a terminal's Ctrl-C reaches its owner alone, who stops it in order.
    const child = spawn(join(state.serverDirectory, "rabbitmq-server"), [], {
      cwd: state.directory,
      detached: true,
      env: { ...nativeEnvironment(state) },
      stdio: ["ignore", log, log],
    });
    child.once("error", () => {});
    child.unref();
    if (child.pid === undefined) throw new Error(`${state.serverDirectory}/rabbitmq-server could not be started`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

async function runControl(state: NativeState, commandArguments: readonly string[], timeoutMs: number): Promise<string> {
  const result = await runCommand(
    join(state.serverDirectory, "rabbitmqctl"),
    ["-q", "-n", state.nodeName, ...commandArguments],
    { env: nativeEnvironment(state), timeoutMs },
  );
  if (result.exitCode === 0) return result.stdout;
  const end = result.timedOut ? `was not done in ${timeoutMs} ms` : `ended with ${result.exitCode ?? "a signal"}`;
  throw new Error(
    `rabbitmqctl ${commandArguments.join(" ")} ${end}: ${lastLines(`${result.stdout}${result.stderr}`, 5)}`,
  );
}
