import { randomUUID } from "node:crypto";
import { CellTimeout, runCell } from "./run-cell.mjs";

/** @typedef {import("../report/judge.mjs").Comparison} Comparison */
/** @typedef {import("./run-cell.mjs").Outcome} Outcome */
/** @typedef {import("../broker/broker.mjs").Broker} Broker */

const CELL_LIMIT_MS = 30_000;
/** Its streams take several times as long as those of the others. */
const LIMIT_MS_OF = { moleculer: 60_000 };
/** Cells of one subject that may run into their limit; the next ones would, too. */
const MOST_TIMEOUTS = 2;
/** Another build of ours, beside this one. */
export const BASE = "base";

/**
 * Runs every subject once in each round. A cell that fails is an `Error` among the outcomes, and so is one that was left out
 * because two of its subject had not been done in time.
 * @param {Comparison} comparison
 * @param {object} circumstances
 * @param {number} circumstances.rounds
 * @param {string} circumstances.directory for files, removed by the caller
 * @param {Broker} [circumstances.broker]
 * @param {() => Promise<Broker>} [circumstances.startBroker] for each round of what needs a fresh one, instead of that
 * @param {readonly string[]} [circumstances.subjects] only these, of those that the comparison has
 * @param {string} [circumstances.base] another build of Fairlead
 * @param {(subject: string, round: number, outcome: Outcome | Error) => void} circumstances.onOutcome
 * @returns {Promise<Map<string, (Outcome | Error)[]>>} by subject
 */
export async function compare(comparison, circumstances) {
  const { rounds, base, directory, broker, startBroker, onOutcome } = circumstances;
  const named = subjectsOf(comparison, circumstances.subjects, base);
  const outcomes = new Map(named.map(({ name }) => [name, []]));
  const timeouts = new Map();
  for (let round = 0; round < Math.min(rounds, comparison.maxRounds ?? rounds); round += 1) {
    const fresh = comparison.needsFreshBroker ? await startBroker?.().catch((error) => error) : undefined;
    try {
      for (const { name, ...who } of inTurn(named, comparison, round)) {
        const isLeftOut = (timeouts.get(name) ?? 0) >= MOST_TIMEOUTS;
        const outcome = isLeftOut
          ? new Error(`${comparison.work} ${name}: left out, ${MOST_TIMEOUTS} cells before were not done in time`)
          : await measureOne(comparison, who, { directory, broker: fresh ?? broker }).catch((error) => error);
        if (outcome instanceof CellTimeout) timeouts.set(name, (timeouts.get(name) ?? 0) + 1);
        outcomes.get(name)?.push(outcome);
        onOutcome(name, round, outcome);
      }
    } finally {
      if (!(fresh instanceof Error)) await fresh?.stop();
    }
  }
  return outcomes;
}

function subjectsOf(/** @type {Comparison} */ { subjects, ours = "fairlead" }, only, base) {
  const chosen = subjects.filter((subject) => only?.includes(subject) ?? true);
  const named = chosen.map((subject) => ({ name: subject, subject }));
  return base !== undefined && chosen.includes(ours) ? [...named, { name: BASE, subject: ours, product: base }] : named;
}

/** Whoever comes first finds another machine than whoever comes last; and what is to be found unused, ours must find first. */
function inTurn(named, /** @type {Comparison} */ { needsFreshBroker, ours = "fairlead" }, /** @type {number} */ round) {
  if (named.length === 0) return [];
  const mine = named.findIndex(({ subject }) => subject === ours);
  const first = needsFreshBroker ? Math.max(0, mine) : round % named.length;
  return [...named.slice(first), ...named.slice(0, first)];
}

/**
 * Its queues are unused when it begins, and gone from the broker when it is over, however that went.
 * @param {Comparison} comparison
 * @param {{ subject: string, product?: string }} who
 * @param {{ directory: string, broker?: Broker | Error | undefined }} where the error of a broker that did not start
 */
async function measureOne(comparison, { subject, product }, { directory, broker }) {
  if (broker instanceof Error) throw broker;
  const { work, subjectsOf: others, settings, settingsOf = {} } = comparison;
  const queue = `${work}-${randomUUID()}`;
  const of = { directory, queue, url: broker?.url, brokerPid: broker?.pid, ...settings, ...settingsOf[subject] };
  const cell = { work, subjectsOf: others, subject, settings: of, product };
  const limitMs = comparison.limitMs ?? LIMIT_MS_OF[subject] ?? CELL_LIMIT_MS;
  try {
    return await runCell(cell, { limitMs, brokerPid: broker?.pid });
  } finally {
    if (comparison.needsBroker) await broker?.removeQueues(queue);
  }
}
