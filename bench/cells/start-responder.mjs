import { fork } from "node:child_process";
import { once } from "node:events";

/**
 * Starts the process that answers, with `serve(settings)` of the subject, and resolves when it is ready. `ready` is what
 * that resolved with.
 * @param {{ work: string, subject: string, settings: Record<string, unknown> }} order
 */
export async function startResponder(order) {
  const child = fork(new URL("../responder.mjs", import.meta.url), [JSON.stringify(order)]);
  let isEnding = false;
  child.once("exit", (code, signal) => {
    if (!isEnding) throw new Error(`the responder ended with ${signal ?? `exit code ${code}`}`);
  });
  const [{ ready }] = await once(child, "message");
  return {
    ready,
    pid: child.pid,
    /** @returns {Promise<{ rss: number, cpuMicros: number }>} */
    async state() {
      child.send("state");
      const [state] = await once(child, "message");
      return state;
    },
    /** Resolves when it has ended, so that its CPU is counted with this process's. */
    async end() {
      isEnding = true;
      const exited = once(child, "exit");
      child.disconnect();
      await exited;
    },
  };
}
