import { accessSync, constants, existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { runCommand } from "../process/run-command.js";
import type { Machine } from "./choose-rabbitmq.js";

/** Debian's folder first: what stands in /usr/sbin there is a wrapper that throws the environment away. */
const SERVER_FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/usr/sbin",
  "/usr/local/sbin",
  "/opt/homebrew/sbin",
  "/opt/rabbitmq/sbin",
];

const PROBE = { timeoutMs: 10_000 };

export async function describeMachine(): Promise<Machine> {
  const serverDirectory = findServerDirectory();
  const found = { debian: isDebian(), root: process.getuid?.() === 0 };
  // What is installed is used, so that nothing else needs to be asked.
  if (serverDirectory !== undefined) {
    return { ...found, serverDirectory, passwordlessSudo: false, docker: "absent" };
  }
  const [sudo, docker] = await Promise.all([
    runCommand("sudo", ["-n", "true"], PROBE),
    runCommand("docker", ["info", "--format", "{{.ServerVersion}}"], PROBE),
  ]);
  return { ...found, passwordlessSudo: sudo.exitCode === 0, docker: dockerState(docker.exitCode, docker.stdout) };
}

function findServerDirectory(): string | undefined {
  const folders = [...SERVER_FOLDERS, ...(process.env.PATH ?? "").split(delimiter)];
  for (const folder of folders) {
    const server = join(folder, "rabbitmq-server");
    if (folder === "" || !isExecutable(server)) continue;
    // A link or wrapper leads to the folder of the real scripts.
    const directory = dirname(realpathSync(server));
    if (["rabbitmq-server", "rabbitmqctl"].every((name) => isExecutable(join(directory, name)))) return directory;
  }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDebian(): boolean {
  if (!existsSync("/usr/bin/apt-get") || !existsSync("/etc/os-release")) return false;
  const names = /^(?:ID|ID_LIKE)=(.*)$/gm;
  return [...readFileSync("/etc/os-release", "utf8").matchAll(names)].some(([, value]) =>
    /\b(?:debian|ubuntu)\b/.test(value ?? ""),
  );
}

function dockerState(exitCode: number | undefined, version: string): Machine["docker"] {
  if (exitCode === undefined) return "absent";
  // Some clients exit with 0 and an empty version when no engine answers.
  return exitCode === 0 && version.trim() !== "" ? "running" : "no engine";
}
