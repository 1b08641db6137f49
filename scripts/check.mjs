// Everything that can be said about the code without running it, two steps at a time. Says how long each step took and
// what the failed ones said.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const CODE = ["src", "adapters", "tools", "test"];
const AT_ONCE = 2;
/** A step that takes this long hangs. */
const STEP_TIMEOUT_MS = 300_000;

// The longest first, so that none is left to run alone at the end.
const STEPS = [
  { name: "types", command: ["tsc", "-p", "."] },
  {
    name: "promises",
    command: ["eslint", "--max-warnings", "0", "--cache", "--cache-location", ".cache/eslint", ...CODE],
  },
  { name: "dependencies", command: ["depcruise", "--config", ".dependency-cruiser.cjs", ...CODE] },
  { name: "dead code", command: ["knip"] },
  { name: "format and lint", command: ["biome", "check", "--error-on-warnings"] },
  { name: "compose file", command: ["dclint", "--max-warnings", "0", "docker-compose.yml"] },
];

const startedAt = performance.now();
const running = new Set();
const waiting = [...STEPS];
const failed = [];

/** Runs one step and resolves with whether it passed, what it said, and its seconds. Never rejects. */
function run({ name, command: [program, ...args] }) {
  return new Promise((resolve) => {
    const stepStartedAt = performance.now();
    const child = spawn(`${root}node_modules/.bin/${program}`, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: STEP_TIMEOUT_MS,
    });
    let output = "";
    const end = (passed) => {
      running.delete(child);
      resolve({ name, passed, output, seconds: seconds(stepStartedAt) });
    };
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", (error) => {
      output += `${error.message}: run npm ci first\n`;
      end(false);
    });
    child.on("close", (code, signal) => {
      if (signal !== null) output += `ended by ${signal}\n`;
      end(code === 0);
    });
  });
}

async function work() {
  for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
    const { name, passed, output, seconds: taken } = await run(step);
    if (!passed) failed.push(name);
    print(`${passed ? "ok    " : "FAILED"}  ${name.padEnd(16)} ${taken.padStart(5)} s`);
    if (!passed) print(output.trim().replace(/^/gm, "        "));
  }
}

function seconds(since) {
  return ((performance.now() - since) / 1000).toFixed(1);
}

function print(text) {
  process.stdout.write(`${text}\n`);
}

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 })) {
  process.once(signal, () => {
    for (const child of running) child.kill();
    process.exit(code);
  });
}

mkdirSync(`${root}.cache`, { recursive: true });
await Promise.all(Array.from({ length: AT_ONCE }, work));
const total = `${STEPS.length} checks, ${seconds(startedAt)} s`;
print(failed.length === 0 ? `passed: ${total}` : `failed: ${failed.join(", ")} (${total})`);
process.exitCode = failed.length === 0 ? 0 : 1;
