import type { NodeState } from "./node-state.js";

/**
 * How one node is run: as a process of this machine or in a container. Holds nothing itself: everything is read from
 * the state file, so that several processes can control one node.
 */
export interface NodeHost {
  state(): NodeState;
  running(): Promise<boolean>;
  /** Starts the broker, and notes it. Does not wait until it answers. */
  launch(): Promise<void>;
  /** Called when the broker answers: notes the pid that it says it has, should that be another one. */
  adopt(): Promise<void>;
  /** Gently, and with SIGKILL if that takes too long. */
  terminate(): Promise<void>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Runs `rabbitmqctl`, and rejects if it fails. */
  control(commandArguments: readonly string[], timeoutMs: number): Promise<string>;
  /** The end of the broker's log. */
  logEnd(): Promise<string>;
  /** Ends whatever runs for the node, besides the broker too. */
  discard(): Promise<void>;
}

/** The last lines of a log, for an error. */
export function lastLines(log: string, count = 40): string {
  return log.trimEnd().split("\n").slice(-count).join("\n");
}
