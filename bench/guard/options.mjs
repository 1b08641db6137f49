import { parseArgs } from "node:util";

export const USAGE = `usage: npm run bench:guard -- [options]
  --record      writes what is found to bench/guard.json instead of judging it; as the median of three runs
  --repeat N    runs N times, 1 to 100, and shows how steady it is
  --rounds N    pairs of cells in a run, 1 to 25 (default 3)
`;

/** Throws an error that says what is wrong. */
export function readOptions(/** @type {readonly string[]} */ words) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      record: { type: "boolean", default: false },
      repeat: { type: "string" },
      rounds: { type: "string", default: "3" },
    },
  });
  const rounds = wholeNumber("--rounds", values.rounds, 25);
  const repeat = values.repeat === undefined ? undefined : wholeNumber("--repeat", values.repeat, 100);
  if (values.record && repeat !== undefined) throw new Error("--record and --repeat exclude each other");
  return { isRecording: values.record, repeat, rounds };
}

function wholeNumber(/** @type {string} */ name, /** @type {string} */ text, /** @type {number} */ most) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Error(`${name} must be 1 to ${most}`);
  return value;
}
