import { parseArgs } from "node:util";
import { BENCHES } from "./benches.mjs";

export const USAGE = `usage: npm run bench -- ${BENCHES.join("|")}|all [options]
  --rounds N        how often each subject runs, 1 to 100 (default 5)
  --json FILE       writes everything that was measured
  --report FILE     writes the tables and what is said of them, as docs/PERFORMANCE.md, with the plots beside it
  --broker URL      a RabbitMQ to use, amqp://…; default: a private node that ends with the run
  --subjects A,B    only these
  --base DIR        another build of Fairlead (package.json, proto/, dist/) to run beside this one
`;

/**
 * @typedef {object} Options
 * @property {readonly string[]} names
 * @property {number} rounds
 * @property {string} [json]
 * @property {string} [report]
 * @property {string} [broker]
 * @property {readonly string[]} [subjects]
 * @property {string} [base]
 */

/**
 * Throws an error that says what is wrong.
 * @param {readonly string[]} words
 * @returns {Options}
 */
export function readOptions(words) {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      json: { type: "string" },
      report: { type: "string" },
      broker: { type: "string" },
      subjects: { type: "string" },
      base: { type: "string" },
    },
  });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) throw new Error("--rounds must be 1 to 100");
  if (positionals.length === 0) throw new Error("nothing to run");
  const unknown = positionals.find((name) => name !== "all" && !BENCHES.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is unknown`);
  const names = positionals.includes("all") ? BENCHES : [...new Set(positionals)];
  const { json, report, broker, base } = values;
  return { names, rounds, json, report, broker, base, subjects: values.subjects?.split(",") };
}
