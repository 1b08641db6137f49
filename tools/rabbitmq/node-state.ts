import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ProcessIdentity } from "../process/process-identity.js";

interface CommonState {
  readonly url: string;
  readonly port: number;
  /** Holds everything of the node, this state included; removed when it is stopped. */
  readonly directory: string;
  /** Of the broker as it runs now, or ran last. */
  readonly broker: ProcessIdentity | undefined;
}

export interface NativeState extends CommonState {
  readonly kind: "native";
  readonly serverDirectory: string;
  readonly nodeName: string;
  readonly distPort: number;
  readonly epmdPort: number;
}

export interface DockerState extends CommonState {
  readonly kind: "docker";
  readonly container: string;
}

/** What another process needs to know to control a node. */
export type NodeState = NativeState | DockerState;

export function stateFileOf(directory: string): string {
  return join(directory, "state.json");
}

export function writeState(state: NodeState): void {
  const file = stateFileOf(state.directory);
  // A reader sees the old state or the new one, never half of one.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/** Throws if there is no such file, which means: that node was stopped. */
export function readState(stateFile: string): NodeState {
  try {
    return JSON.parse(readFileSync(stateFile, "utf8")) as NodeState;
  } catch (error) {
    throw new Error(`no RabbitMQ node is kept in ${stateFile}: it was stopped, or never started`, { cause: error });
  }
}
