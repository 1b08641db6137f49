import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

function filesOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

it("the generated types are those of proto/; run npm run gen if this fails", () => {
  const fresh = mkdtempSync(join(tmpdir(), "fairlead-gen-"));
  try {
    const run = spawnSync(process.execPath, ["scripts/gen.mjs", fresh], {
      cwd: root,
      encoding: "utf8",
      timeout: 30_000,
    });
    expect(run.stderr + run.status).toBe("0");
    expect(filesOf(join(root, "adapters/grpc/gen"))).toEqual(filesOf(fresh));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
});
