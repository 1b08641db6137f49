import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { noteProcess } from "../../process/process-guard.js";
import { killProcess } from "../../process/process-identity.js";
import { runCommand } from "../../process/run-command.js";
import { waitUntil } from "../../process/wait-until.js";
import type { FaultRound } from "../round/scenario.js";

const MOUNT_MS = 10_000;
const FILLER = "filler";
const CHUNK = Buffer.alloc(4_096);

/** A file system of a few megabytes, in a mount namespace of its own: it is seen by what is started in it. */
export interface SmallDisk {
  /** As processes on the disk see it. */
  readonly directory: string;
  /** The same directory, as this process sees it. */
  readonly path: string;
  /** For `startProgram`: in the namespace of the disk. */
  readonly startedBy: readonly string[];
  /** Takes the rest of the room. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  /** Everything that is open for writing fails from now on, and nothing can be opened for it; or no longer. */
  setReadOnly(readOnly: boolean): Promise<void>;
}

/** Undefined where this machine does not permit it. */
export async function createSmallDisk(round: FaultRound, megabytes: number): Promise<SmallDisk | undefined> {
  const directory = join(round.directory, "disk");
  mkdirSync(directory);
  // The shell stays, and the namespace with it.
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$1" && echo mounted && exec sleep 3600`;
  const keeper = spawn("unshare", ["-m", "sh", "-c", script, "fairlead-disk", directory], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const failed = once(keeper, "error").then(() => "failed");
  const { pid } = keeper;
  if (pid === undefined) return undefined;
  const identity = noteProcess(round.guardDirectory, pid);
  round.atEnd(async () => {
    if (identity !== undefined) await killProcess(identity);
  });
  let told = "";
  keeper.stdout.on("data", (chunk: Buffer) => {
    told += chunk.toString();
  });
  const isOver = (): boolean => told.includes("mounted") || keeper.exitCode !== null;
  await Promise.race([failed, waitUntil(isOver, { what: "the small disk", timeoutMs: MOUNT_MS }).catch(() => {})]);
  if (!told.includes("mounted")) return undefined;
  const path = `/proc/${pid}/root${directory}`;
  const enter = ["nsenter", "-t", String(pid), "-m", "--"];
  return {
    directory,
    path,
    startedBy: enter,
    fill() {
      const file = openSync(join(path, FILLER), "a");
      try {
        for (;;) writeSync(file, CHUNK);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(join(path, FILLER), { force: true }),
    async setReadOnly(readOnly) {
      const [command = "", ...rest] = [...enter, "mount", "-o", `remount,${readOnly ? "ro" : "rw"}`, directory];
      const { exitCode, stderr } = await runCommand(command, rest, { timeoutMs: MOUNT_MS });
      if (exitCode !== 0) throw new Error(`the small disk could not be remounted: ${stderr}`);
    },
  };
}
