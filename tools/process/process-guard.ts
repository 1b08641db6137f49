import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, type ProcessIdentity } from "./process-identity.js";

/**
 * A shell that waits until the pipe to its owner closes, which the kernel does however the owner ends, then ends by pid
 * whatever is noted in the directory, and removes it. A process that was given the pid of one of ours later has another
 * start time. It sits in a session of its own and ignores what a terminal sends.
 */
const WATCHDOG = `
trap '' HUP INT QUIT TERM
cat > /dev/null
[ -d "$1" ] || exit 0
if [ -f "$1/container" ]; then docker rm -f -v "$(cat "$1/container")" > /dev/null 2>&1; fi
if [ -f "$1/processes" ]; then
  while read -r pid start; do
    if [ -r "/proc/$$/stat" ]; then
      stat=$(cat "/proc/$pid/stat" 2> /dev/null) || continue
      set -- "$1" \${stat##*) }
      [ "\${21}" = "$start" ] || continue
    fi
    kill -KILL "$pid" 2> /dev/null
  done < "$1/processes"
fi
for try in 1 2 3 4 5 6 7 8 9 10; do
  rm -rf "$1" 2> /dev/null && exit 0
  sleep 0.2
done
`;

/** Sees to it that nothing outlives this process: neither what is noted, nor the directory. */
export interface ProcessGuard {
  /** In the system's folder for temporary files. Whatever stands in it goes with it. */
  readonly directory: string;
  /** Does it now, for what is left, and resolves when it is done. */
  release(): Promise<void>;
}

export function createProcessGuard(name: string): ProcessGuard {
  const directory = mkdtempSync(join(tmpdir(), `fairlead-${name}-`));
  const watchdog = spawn("/bin/sh", ["-c", WATCHDOG, "fairlead-watchdog", directory], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
  });
  const gone = new Promise<void>((resolve) => {
    watchdog.once("exit", () => resolve());
    watchdog.once("error", () => resolve());
  });
  watchdog.stdin.on("error", () => {});
  // Neither the watchdog nor the pipe keeps this process alive.
  watchdog.unref();
  if (watchdog.stdin instanceof Socket) watchdog.stdin.unref();
  return {
    directory,
    async release() {
      watchdog.ref();
      watchdog.stdin.end();
      await gone;
    },
  };
}

/** To be called right after a process was started, by whatever process. Undefined if it has ended already. */
export function noteProcess(directory: string, pid: number): ProcessIdentity | undefined {
  const identity = identifyProcess(pid);
  if (identity !== undefined) appendFileSync(listOf(directory), `${identity.pid} ${identity.startTime}\n`);
  return identity;
}

export function notedProcesses(directory: string): readonly ProcessIdentity[] {
  const list = listOf(directory);
  if (!existsSync(list)) return [];
  return readFileSync(list, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [pid, startTime] = line.split(" ");
      return { pid: Number(pid), startTime: startTime ?? "-" };
    });
}

function listOf(directory: string): string {
  return join(directory, "processes");
}
