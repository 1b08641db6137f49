import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

/** What each example must print. An example without a line here fails. */
const EXPECTED: Record<string, RegExp> = {
  "broadcast.mjs": /^osaka: drop everything\nosaka: reload\ntokyo: drop everything\n$/,
  "container.mjs": /^serving .*127\.0\.0\.1:\d+.*\n$/s,
  "composition.mjs": /^1 4 9 16 25\n$/,
  "events.mjs":
    /^connected\n\{ invoice: 7 \} 7n invoice-7\n\{ invoice: 8 \} 8n invoice-8\n\{ invoice: 9 \} 9n invoice-9-due\nclosed\n$/,
  "hang.mjs": /^hung: TIMEOUT\nthen: here I am\n$/,
  // A module for fairlead serve --sink: it only exports.
  "large-result.mjs": /^$/,
  "queue.mjs": /^order 7, attempt 1, ours\norder 7, attempt 2, ours\n$/,
  "request-sink.mjs": /^one: 1\nsum: 5050, never far ahead\nleft: true\n$/,
};

const readme = readFileSync(`${root}README.md`, "utf8");

test.each(readdirSync(`${root}examples`).filter((name) => name.endsWith(".mjs")))("example %s runs", async (name) => {
  const { stdout, stderr } = await run(process.execPath, [`examples/${name}`], { cwd: root, timeout: 20_000 });
  expect(stderr).toBe("");
  expect(stdout).toMatch(EXPECTED[name] ?? /this example is not in the table/);
});

test.each(Object.keys(EXPECTED))("README shows %s as it is", (name) => {
  const source = readFileSync(`${root}examples/${name}`, "utf8");
  expect(readme).toContain(`<!-- examples/${name} -->\n\n\`\`\`js\n${source}\`\`\`\n`);
});
