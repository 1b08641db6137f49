import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NativeState } from "./node-state.js";

const ERLANG_ARGUMENTS = "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}";

export function nodeLogOf(directory: string): string {
  return join(directory, "node.log");
}

export function pidFileOf(directory: string): string {
  return join(directory, "broker.pid");
}

/** What a node of a cluster has in common with the others. */
export interface NativeFiles {
  /** Nodes that share it trust each other. Default: random. */
  readonly cookie?: string | undefined;
  /** Erlang terms: the other format costs 2 s at each start. Default: nothing. */
  readonly configuration?: string | undefined;
}

/** The files that a node reads. */
export function writeNativeFiles(
  directory: string,
  { cookie = randomBytes(16).toString("hex"), configuration = "[]." }: NativeFiles = {},
): void {
  mkdirSync(join(directory, "home"));
  mkdirSync(join(directory, "data"));
  writeFileSync(join(directory, "home", ".erlang.cookie"), cookie, { mode: 0o400 });
  writeFileSync(join(directory, "rabbitmq.config"), `${configuration}\n`);
  writeFileSync(join(directory, "advanced.config"), "[].\n");
  writeFileSync(join(directory, "enabled_plugins"), "[].\n");
  writeFileSync(join(directory, "rabbitmq-env.conf"), "");
}

/**
 * The environment of the node and of its `rabbitmqctl`. Names every file and port, so that nothing of another node or
 * of the machine's own configuration is read, and everything listens on 127.0.0.1.
 */
export function nativeEnvironment(state: Omit<NativeState, "broker">): Readonly<Record<string, string>> {
  const { directory } = state;
  return {
    PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
    LANG: "C.UTF-8",
    LC_ALL: "C.UTF-8",
    HOME: join(directory, "home"),
    // Ours runs already. One that Erlang starts by itself is a daemon that outlives everything.
    ERL_FLAGS: "-start_epmd false",
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(state.epmdPort),
    RABBITMQ_NODENAME: state.nodeName,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(state.port),
    RABBITMQ_DIST_PORT: String(state.distPort),
    RABBITMQ_MNESIA_BASE: join(directory, "data"),
    RABBITMQ_LOG_BASE: join(directory, "data"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_PID_FILE: pidFileOf(directory),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, "enabled_plugins"),
    RABBITMQ_CONF_ENV_FILE: join(directory, "rabbitmq-env.conf"),
    RABBITMQ_CONFIG_FILE: join(directory, "rabbitmq.config"),
    RABBITMQ_CONFIG_FILES: join(directory, "conf.d", "*.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(directory, "advanced.config"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: ERLANG_ARGUMENTS,
    RABBITMQ_CTL_ERL_ARGS: ERLANG_ARGUMENTS,
    // The kernel chooses: the default is a fixed range of eleven ports for the whole machine.
    RABBITMQ_CTL_DIST_PORT_MIN: "0",
    RABBITMQ_CTL_DIST_PORT_MAX: "0",
    // Without a service manager's NOTIFY_SOCKET this only makes the script `exec` the broker: the pid is the broker's.
    RUNNING_UNDER_SYSTEMD: "true",
  };
}
