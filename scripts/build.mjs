// Builds dist/ with tsc and makes the command executable, so that `npx fairlead` runs straight after `npm ci`.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");

// An incremental build without its output would emit nothing.
if (!existsSync(`${root}dist`)) rmSync(`${root}.cache/build.tsbuildinfo`, { force: true });

const result = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
if (result.status !== 0) process.exit(result.status ?? 1);
if (existsSync(`${root}dist/src/cli/main.js`)) chmodSync(`${root}dist/src/cli/main.js`, 0o755);
