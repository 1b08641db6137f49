import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { newFile } from "./node.js";

const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));

const HOOK = `export async function resolve(specifier, context, next) {
  if (specifier === "better-sqlite3") throw new Error("Cannot find package");
  return next(specifier, context);
}`;
const REGISTER = `import { register } from "node:module"; register(${JSON.stringify(dataUrl(HOOK))});`;

function dataUrl(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

describe("without its binding", () => {
  it("connecting is refused with UNSUPPORTED, saying what is missing and what to do instead", async () => {
    const child = spawn(process.execPath, ["--import", dataUrl(REGISTER), WORKER, "hold", newFile()], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 20_000,
    });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += String(chunk);
    });
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(errors).toMatch(/better-sqlite3.*is missing.*npm install better-sqlite3.*--broker memory:/s);
    expect(errors).toContain("code: 'UNSUPPORTED'");
  });
});
