import { spawn } from "node:child_process";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { noteProcess } from "../process/process-guard.js";
import { waitUntil } from "../process/wait-until.js";

/** Starts the node's own port mapper where it does not run, in the foreground, so that its pid is known. */
export async function ensureEpmd(
  directory: string,
  port: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  if (await accepts(port)) return;
  const child = spawn(findEpmd(), ["-address", "127.0.0.1", "-port", String(port)], {
    cwd: directory,
    detached: true,
    env: { ...env },
    stdio: "ignore",
  });
  const failed = new Promise<never>((_, reject) => {
    child.once("error", (error) => reject(new Error(`epmd could not be started: ${error.message}`)));
    child.once("exit", (code) => reject(new Error(`epmd ended at once, with ${code ?? "a signal"}`)));
  });
  // It goes on to be rejected when epmd is stopped at last.
  failed.catch(() => {});
  child.unref();
  if (child.pid !== undefined) noteProcess(directory, child.pid);
  await Promise.race([failed, waitUntil(() => accepts(port), { what: "epmd to listen", timeoutMs: 10_000 })]);
}

function findEpmd(): string {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  for (const folder of [...folders, "/usr/bin", "/usr/local/bin"]) {
    const epmd = join(folder, "epmd");
    if (existsSync(epmd)) return epmd;
    const erl = join(folder, "erl");
    if (!existsSync(erl)) continue;
    // Erlang keeps it beside the emulator: <root>/bin/erl, <root>/erts-13.1/bin/epmd.
    const root = dirname(dirname(realpathSync(erl)));
    const runtime = readdirSync(root).find((name) => existsSync(join(root, name, "bin", "epmd")));
    if (runtime !== undefined) return join(root, runtime, "bin", "epmd");
  }
  throw new Error("epmd, which is a part of Erlang, was not found on the PATH");
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
