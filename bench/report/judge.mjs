import { median, spread } from "./figures.mjs";

/**
 * What must hold: a measure, or with `beside: "raw"` its ratio to the raw subject's, is at least or at most so much.
 * @typedef {object} Target
 * @property {string} id P1 to P10
 * @property {string} measure a key of the outcomes: perSecond, cpuMicros, …
 * @property {string} says the measure in words
 * @property {"raw"} [beside]
 * @property {number} [least]
 * @property {number} [most]
 * @property {number} [atRaw] what the raw subject does where the bound holds as it stands; where it does less, so does the bound
 * @property {boolean} [isPeak] the worst round is judged, and not the median: for what must never be exceeded
 */

/**
 * One table: the same work by several subjects.
 * @typedef {object} Comparison
 * @property {string} name unique, short: names it in the JSON
 * @property {string} title
 * @property {string} work
 * @property {string} [subjectsOf] another work whose subjects these are
 * @property {readonly string[]} subjects the raw one first
 * @property {string} [ours] the subject that is judged; default "fairlead"
 * @property {Record<string, unknown>} [settings] for the work, whoever does it
 * @property {Record<string, Record<string, unknown>>} [settingsOf] by subject, over those
 * @property {boolean} [needsBroker]
 * @property {boolean} [needsFreshBroker] each round has a private node that nobody has used, and begins with ours
 * @property {number} [maxRounds] for what takes long
 * @property {number} [limitMs] for one cell; default 30,000
 * @property {readonly Target[]} targets
 */

/** @typedef {import("./figures.mjs").Spread} Spread */
/** @typedef {Record<string, number>} Outcome */

/**
 * @typedef {object} Row
 * @property {string} subject
 * @property {number} runs
 * @property {number} failed
 * @property {Record<string, Spread>} measures over all rounds
 * @property {Record<string, Spread>} ratios to the raw subject, of each round's pair: those saw about the same machine
 */

/**
 * @typedef {object} Verdict
 * @property {string} id
 * @property {string} says
 * @property {number | undefined} value
 * @property {number} bound
 * @property {boolean} isLeast whether the bound is the least that is allowed, or the most
 * @property {boolean} isMet
 */

/**
 * @typedef {object} Result
 * @property {string} name
 * @property {string} title
 * @property {string} ours
 * @property {readonly Row[]} rows
 * @property {readonly Verdict[]} verdicts
 * @property {readonly string[]} failures
 * @property {number | undefined} foreignCores median over all cells
 */

/**
 * From the outcomes of all rounds to rows and verdicts.
 * @param {Comparison} comparison
 * @param {ReadonlyMap<string, readonly (Outcome | Error)[]>} outcomes of each subject by round
 * @returns {Result}
 */
export function judge({ name, title, subjects, ours = "fairlead", targets }, outcomes) {
  const raw = outcomes.get(subjects[0]) ?? [];
  const rows = [...outcomes].map(([subject, ofSubject]) => rowOf(subject, ofSubject, raw));
  const mine = rows.find(({ subject }) => subject === ours);
  const found = outcomes.get(ours) ?? [];
  const verdicts = mine === undefined ? [] : targets.map((target) => verdictOf(target, found, raw));
  const all = [...outcomes.values()].flat();
  const failures = all.filter((outcome) => outcome instanceof Error).map(({ message }) => message);
  return { name, title, ours, rows, verdicts, failures, foreignCores: foreignCoresOf(all) };
}

/**
 * How noisy it was: the median of what everything else on the machine used.
 * @param {readonly (Outcome | Error)[]} outcomes
 */
export function foreignCoresOf(outcomes) {
  return spread(outcomes.map((outcome) => outcome.foreignCores).filter(Number.isFinite))?.median;
}

/**
 * @param {string} subject
 * @param {readonly (Outcome | Error)[]} outcomes
 * @param {readonly (Outcome | Error)[]} raw
 * @returns {Row}
 */
function rowOf(subject, outcomes, raw) {
  const good = outcomes.filter((outcome) => !(outcome instanceof Error));
  const measures = {};
  const ratios = {};
  for (const key of new Set(good.flatMap((outcome) => Object.keys(outcome)))) {
    const values = good.map((outcome) => outcome[key]).filter(Number.isFinite);
    if (values.length > 0) measures[key] = spread(values);
    const pairs = pairsOf(key, outcomes, raw);
    if (pairs.length > 0) ratios[key] = spread(pairs);
  }
  return { subject, runs: good.length, failed: outcomes.length - good.length, measures, ratios };
}

/**
 * The ratio of each round in which both were measured.
 * @param {string} key
 * @param {readonly (Outcome | Error)[]} outcomes
 * @param {readonly (Outcome | Error)[]} others
 */
function pairsOf(key, outcomes, others) {
  return outcomes
    .map((outcome, round) => {
      const other = others[round];
      if (outcome instanceof Error || other === undefined || other instanceof Error) return Number.NaN;
      return outcome[key] / other[key];
    })
    .filter(Number.isFinite);
}

/**
 * How much one subject does of what another does, at the median of their pairs; nothing if they have none.
 * @param {string} key
 * @param {readonly (Outcome | Error)[]} outcomes
 * @param {readonly (Outcome | Error)[]} others
 */
export function ratioOf(key, outcomes, others) {
  const pairs = pairsOf(key, outcomes, others);
  return pairs.length === 0 ? undefined : median(pairs);
}

/**
 * What a verdict may rest on: nothing if a cell failed, or if fewer than half of the rounds have something to say. What is left
 * after failures are those rounds in which little was asked of it.
 * @param {readonly number[]} values
 * @param {readonly (readonly (Outcome | Error)[])[]} sources every round of those that the values are from
 * @returns {readonly number[]}
 */
function soundOf(values, sources) {
  const rounds = Math.max(...sources.map((outcomes) => outcomes.length));
  const hasFailed = sources.flat().some((outcome) => outcome instanceof Error);
  return hasFailed || values.length < Math.ceil(rounds / 2) ? [] : values;
}

/**
 * The ratio of each round; none at all if they are too few to judge by.
 * @param {string} key
 * @param {readonly (Outcome | Error)[]} outcomes
 * @param {readonly (Outcome | Error)[]} raw
 */
export function soundRatiosOf(key, outcomes, raw) {
  return soundOf(pairsOf(key, outcomes, raw), [outcomes, raw]);
}

function soundValuesOf(/** @type {string} */ key, /** @type {readonly (Outcome | Error)[]} */ outcomes) {
  return soundOf(outcomes.map((outcome) => outcome[key]).filter(Number.isFinite), [outcomes]);
}

/**
 * @param {Target} target
 * @param {readonly (Outcome | Error)[]} found
 * @param {readonly (Outcome | Error)[]} raw
 * @returns {Verdict}
 */
function verdictOf({ id, measure, says, beside, least, most, atRaw, isPeak = false }, found, raw) {
  const values = beside === "raw" ? soundRatiosOf(measure, found, raw) : soundValuesOf(measure, found);
  const isLeast = least !== undefined;
  const worst = isLeast ? "least" : "most";
  const rawValue = atRaw === undefined ? undefined : spread(soundValuesOf(measure, raw))?.median;
  const isKnown = atRaw === undefined || rawValue !== undefined;
  const value = isKnown ? spread(values)?.[isPeak ? worst : "median"] : undefined;
  const share = atRaw === undefined || rawValue === undefined ? 1 : Math.min(1, rawValue / atRaw);
  const bound = (least ?? most ?? Number.NaN) * share;
  const isMet = value !== undefined && (isLeast ? value >= bound : value <= bound);
  return { id, says: `${says}${suffix({ beside, isPeak, rawValue })}`, value, bound, isLeast, isMet };
}

function suffix({ beside, isPeak, rawValue }) {
  const toRaw = beside === undefined ? "" : ", to raw";
  const peak = isPeak ? ", in the worst round" : "";
  return `${toRaw}${peak}${rawValue === undefined ? "" : ` (raw: ${Math.round(rawValue).toLocaleString("en-US")})`}`;
}
