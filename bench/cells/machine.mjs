import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";

/** USER_HZ, which is 100 on every Linux that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/**
 * @typedef {object} Noise
 * @property {number} foreignCores what neither the cell, nor what it started, nor the broker used
 * @property {number} load processes that wanted to run, averaged over the last minute
 */

/**
 * Watches the machine from now on, until the result is called: then every process that was started since must have ended.
 * @param {number | undefined} brokerPid the broker's CPU is part of the work; that of one elsewhere is not seen
 * @returns {() => Noise | undefined} nothing where there is no /proc
 */
export function watchMachine(brokerPid) {
  const before = readSeconds(brokerPid);
  const startedAt = performance.now();
  return () => {
    const after = readSeconds(brokerPid);
    if (before === undefined || after === undefined) return undefined;
    const foreign = after.busy - before.busy - (after.own - before.own);
    const foreignCores = Math.max(0, foreign / ((performance.now() - startedAt) / 1_000));
    return { foreignCores, load: loadavg()[0] };
  };
}

function readSeconds(/** @type {number | undefined} */ brokerPid) {
  try {
    return { busy: busySeconds(), own: secondsOf("self") + (brokerPid === undefined ? 0 : secondsOf(brokerPid)) };
  } catch {
    return undefined;
  }
}

/** Seconds of CPU that this machine has used in all. What it was denied by its host counts as used. */
function busySeconds() {
  const [, ...fields] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0].trim().split(/\s+/);
  const [user, nice, system, , , irq, softirq, steal] = fields.map(Number);
  return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND;
}

/** Of a process and of those of its descendants that have ended and were waited for. */
function secondsOf(/** @type {number | "self"} */ pid) {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / TICKS_PER_SECOND;
}

/** Megabytes that a process holds; nothing if that cannot be read. */
export function rssMegabytes(/** @type {number | undefined} */ pid) {
  if (pid === undefined) return undefined;
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}

export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    gigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
  };
}
