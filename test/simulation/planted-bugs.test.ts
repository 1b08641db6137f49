import { describe, expect, it } from "vitest";
import { patched } from "./compiled-copy.js";
import { huntBugs } from "./hunt.js";
import { plantedBugs } from "./planted-bugs.js";

describe("planted bugs", () => {
  it("cannot go stale unseen: their text must stand there exactly once", () => {
    const patch = { file: "a.ts", find: "one", replace: "two" };
    expect(patched("this one", patch)).toBe("this two");
    expect(() => patched("this", patch)).toThrow("a.ts: this must stand there exactly once, not 0 times");
    expect(() => patched("one and one", patch)).toThrow("not 2 times");
  });

  // A seed that finds its bug no longer is found anew with `npm run simulate -- --planted`.
  it("are found, each by what it breaks", { timeout: 240_000 }, async () => {
    const found = await huntBugs(process.cwd(), ({ seed }) => [
      "--seeds",
      "300",
      "--from",
      String(seed),
      "--failures",
      "1",
    ]);
    const missed = found
      .filter(({ bug, invariants }) => !bug.breaks.some((id) => invariants.includes(id)))
      .map(({ bug, output }) => `${bug.name}: ${output.slice(-500)}`);
    expect(missed).toEqual([]);
    expect(found.length).toBe(plantedBugs.length);
  });
});
