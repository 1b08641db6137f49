import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../process/run-command.js";
import { lastLines, type NodeHost } from "./node-host.js";
import { type DockerState, readState, stateFileOf, writeState } from "./node-state.js";

const IMAGE = "rabbitmq:4.1.4";
const PULL_AND_RUN_MS = 600_000;
const COMMAND_MS = 60_000;

/** Creates the container, not started yet. The engine pulls the image first where it is missing. */
export async function prepareDocker(state: Omit<DockerState, "broker" | "container">): Promise<NodeHost> {
  const idFile = join(state.directory, "container");
  // The file is where the watchdog finds the id, from the moment the container exists.
  await docker(["create", "--cidfile", idFile, "--publish", `127.0.0.1:${state.port}:5672`, IMAGE], PULL_AND_RUN_MS);
  writeState({ ...state, container: readFileSync(idFile, "utf8").trim(), broker: undefined });
  return createDockerHost(stateFileOf(state.directory));
}

export function createDockerHost(stateFile: string): NodeHost {
  const state = (): DockerState => {
    const read = readState(stateFile);
    if (read.kind !== "docker") throw new Error(`${stateFile} is not of a node in a container`);
    return read;
  };
  const inspect = async (field: string): Promise<string> =>
    (await docker(["inspect", "--format", `{{.State.${field}}}`, state().container])).trim();
  const onContainer = async (...command: string[]): Promise<void> => {
    await docker([...command, state().container]);
  };
  return {
    state,
    running: async () => (await inspect("Running")) === "true",
    async launch() {
      await onContainer("start");
      writeState({ ...state(), broker: { pid: Number(await inspect("Pid")), startTime: "-" } });
    },
    adopt: async () => {},
    terminate: () => onContainer("stop", "--time", "15"),
    kill: () => onContainer("kill", "--signal", "KILL"),
    freeze: () => onContainer("pause"),
    thaw: () => onContainer("unpause"),
    control: (commandArguments, timeoutMs) =>
      docker(["exec", state().container, "rabbitmqctl", "-q", ...commandArguments], timeoutMs),
    logEnd: async () => lastLines(await docker(["logs", "--tail", "40", state().container])),
    discard: () => onContainer("rm", "--force", "--volumes"),
  };
}

async function docker(commandArguments: readonly string[], timeoutMs = COMMAND_MS): Promise<string> {
  const result = await runCommand("docker", commandArguments, { timeoutMs });
  if (result.exitCode === 0) return result.stdout;
  const end = result.timedOut ? `was not done in ${timeoutMs} ms` : `ended with ${result.exitCode ?? "a signal"}`;
  throw new Error(`docker ${commandArguments.join(" ")} ${end}: ${lastLines(result.stderr, 5)}`);
}
