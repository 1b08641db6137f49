// Writes the report from what runs of the bench wrote: node bench/report/main.mjs docs/PERFORMANCE.md RUN.json [LATER.json …]
import { readFileSync } from "node:fs";
import { writeReport } from "./write-report.mjs";

const [file, ...runs] = process.argv.slice(2);
if (file === undefined || runs.length === 0) {
  process.stderr.write("usage: node bench/report/main.mjs FILE.md RUN.json [LATER.json …]\n");
  process.exit(2);
}
writeReport(
  file,
  runs.map((run) => JSON.parse(readFileSync(run, "utf8"))),
);
