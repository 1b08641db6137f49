import { existsSync, rmSync } from "node:fs";
import { waitUntil } from "../process/wait-until.js";
import { amqpAnswers } from "./amqp-answers.js";
import { createDockerHost } from "./docker-host.js";
import { createNativeHost } from "./native-host.js";
import type { NodeHost } from "./node-host.js";
import { readState, stateFileOf } from "./node-state.js";

/** A private RabbitMQ node, on 127.0.0.1 alone. Each call is bounded in time and rejects with what it saw. */
export interface RabbitmqNode {
  /** With the user guest, who may do everything. */
  readonly url: string;
  readonly port: number;
  /** Of the broker as it runs now, or ran last. */
  readonly pid: number;
  /** Holds its data and log. */
  readonly directory: string;
  /** For `connectRabbitmqNode` in another process. */
  readonly stateFile: string;
  /** Whether the broker's process exists; a frozen one does. */
  running(): Promise<boolean>;
  /** Runs `rabbitmqctl` on it, at most 60 s, and resolves with what that printed. */
  control(...commandArguments: string[]): Promise<string>;
  /**
   * Has RabbitMQ write down which quorum queues there are. For about a second after its declaration it knows that by
   * heart only, and a SIGKILL then costs the queue with all that it confirmed (seen with 3.10.8): to be called first
   * where that is not what a test is about.
   */
  flush(): Promise<void>;
  /** SIGKILL. Resolves when the process is gone. Data and ports are kept for `restart`. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, nothing answers. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): Promise<void>;
  /** Starts it again with the same data on the same ports, after stopping it gently if it runs. Resolves when ready. */
  restart(): Promise<void>;
  /** Ends the broker and whatever else was started for it, and removes its directory. A second call does nothing. */
  stop(): Promise<void>;
}

const READY_MS = 90_000;
const CONTROL_MS = 60_000;

/** The controls of a node that another process started. Throws if it was stopped. */
export function connectRabbitmqNode(stateFile: string): RabbitmqNode {
  return createRabbitmqNode(createHost(stateFile));
}

export function createRabbitmqNode(host: NodeHost, released: () => Promise<void> = async () => {}): RabbitmqNode {
  const { url, port, directory } = host.state();
  let stopping: Promise<void> | undefined;
  return {
    url,
    port,
    directory,
    stateFile: stateFileOf(directory),
    get pid() {
      return host.state().broker?.pid ?? 0;
    },
    running: () => host.running(),
    control: (...commandArguments) => host.control(commandArguments, CONTROL_MS),
    async flush() {
      await host.control(["eval", "lists:foreach(fun dets:sync/1, dets:all())."], CONTROL_MS);
    },
    kill: () => host.kill(),
    freeze: () => host.freeze(),
    thaw: () => host.thaw(),
    async restart() {
      if (await host.running()) await host.terminate();
      await launchUntilReady(host);
    },
    stop() {
      stopping ??= discard(host, directory).finally(released);
      return stopping;
    },
  };
}

/** Starts the broker and waits until it takes connections. On failure the error carries the end of its log. */
export async function launchUntilReady(host: NodeHost): Promise<void> {
  const { port } = host.state();
  try {
    await host.launch();
    await waitUntil(
      async () => {
        if (!(await host.running())) throw new Error("it ended by itself");
        return amqpAnswers(port, 2_000);
      },
      { what: `AMQP to answer on port ${port}`, timeoutMs: READY_MS, intervalMs: 50 },
    );
    await host.adopt();
    await host.control(["await_startup", "--timeout", String(READY_MS / 1_000)], READY_MS);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const log = await host.logEnd().catch(() => "(no log)");
    throw new Error(`RabbitMQ did not start: ${reason}. The end of its log:\n${log}`, { cause: error });
  }
}

async function discard(host: NodeHost, directory: string): Promise<void> {
  // Another process may have stopped it.
  if (!existsSync(directory)) return;
  try {
    if (await host.running()) await host.terminate();
  } finally {
    await host.discard();
    // What was just killed may have been creating a file.
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function createHost(stateFile: string): NodeHost {
  return readState(stateFile).kind === "native" ? createNativeHost(stateFile) : createDockerHost(stateFile);
}
