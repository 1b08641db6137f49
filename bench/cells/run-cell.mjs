import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { watchMachine } from "./machine.mjs";

const CELL = fileURLToPath(new URL("../cell.mjs", import.meta.url));
const LAST_WORDS = 1_500;
/** A grandchild that is left over keeps the streams open: what the cell has said has come by then. */
const STREAMS_MS = 2_000;

/** A cell that was ended because it took too long. */
export class CellTimeout extends Error {}

/**
 * @typedef {object} Cell
 * @property {string} work
 * @property {string} [subjectsOf] the work that the subject was written for; default: this one
 * @property {string} subject
 * @property {Record<string, unknown>} settings what the work is told, beside the subject
 * @property {string} [product] another build of Fairlead; default: this checkout
 */

/** @typedef {import("./measure.mjs").Measured & Partial<import("./machine.mjs").Noise> & Record<string, number>} Outcome */

/**
 * Runs one cell in a fresh process. Rejects with what it printed when it fails or takes too long.
 * @param {Cell} cell
 * @param {{ limitMs: number, brokerPid?: number | undefined }} options
 * @returns {Promise<Outcome>}
 */
export function runCell({ product, ...cell }, { limitMs, brokerPid }) {
  const noise = watchMachine(brokerPid);
  const child = spawn(process.execPath, ["--expose-gc", CELL, JSON.stringify(cell)], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: product === undefined ? process.env : { ...process.env, FAIRLEAD_PRODUCT: product },
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const startedAt = performance.now();
  let outcome;
  child.once("message", (message) => {
    outcome = message;
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      said = (said + text).slice(-LAST_WORDS);
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => {
      const destroyStreams = () => {
        child.stdout.destroy();
        child.stderr.destroy();
      };
      const timer = setTimeout(destroyStreams, STREAMS_MS);
      child.once("close", () => clearTimeout(timer));
    });
    child.once("close", (code, signal) => {
      if (code === 0 && outcome !== undefined) resolve({ ...outcome, ...noise() });
      else {
        const isLate = signal === "SIGKILL" && performance.now() - startedAt >= limitMs;
        const end = isLate ? `not done after ${limitMs / 1_000} s` : (signal ?? `exit code ${code}`);
        const text = `${cell.work} ${cell.subject}: ${end}\n${said.trim()}`;
        reject(isLate ? new CellTimeout(text) : new Error(text));
      }
    });
  });
}
