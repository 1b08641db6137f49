import { randomUUID } from "node:crypto";
import { runCell } from "../cells/run-cell.mjs";
import { judgeGrowth } from "./judge-growth.mjs";

const LARGE = 100_000;
const LARGE_LIMIT_MS = 150_000;
const CELL_LIMIT_MS = 60_000;
const ON_BROKER = "rabbitmq";

/** The subjects of a curve that are to be measured. */
export function chosenOf(/** @type {import("./judge-growth.mjs").Curve} */ { subjects }, only) {
  return subjects.filter((subject) => only?.includes(subject) ?? true);
}

export const needsBroker = (/** @type {readonly string[]} */ subjects) => subjects.includes(ON_BROKER);

/**
 * Measures every point of a curve once, each in a process of its own.
 * @param {import("./judge-growth.mjs").Curve} curve
 * @param {object} circumstances
 * @param {string} circumstances.directory for files, removed by the caller
 * @param {import("../broker/broker.mjs").Broker} [circumstances.broker]
 * @param {readonly string[]} [circumstances.subjects] only these, of those that the curve has
 * @param {(says: string, round: number, outcome: import("../cells/run-cell.mjs").Outcome | Error) => void} circumstances.onOutcome
 */
export async function runGrowth(curve, { directory, broker, subjects, onOutcome }) {
  const outcomes = new Map(chosenOf(curve, subjects).map((subject) => [subject, []]));
  for (const size of curve.sizes) {
    for (const [subject, ofSubject] of outcomes) {
      const queue = `growth-${randomUUID()}`;
      const cell = {
        work: "growth",
        subject,
        settings: { kind: curve.name, size, directory, queue, url: broker?.url },
      };
      const limitMs = size < LARGE ? CELL_LIMIT_MS : LARGE_LIMIT_MS;
      const outcome = await runCell(cell, { limitMs, brokerPid: broker?.pid }).catch((error) => error);
      if (subject === ON_BROKER) await broker?.removeQueues(queue);
      ofSubject.push(outcome);
      onOutcome(`${subject} at ${size}`, 0, outcome);
    }
  }
  return judgeGrowth(curve, outcomes);
}
