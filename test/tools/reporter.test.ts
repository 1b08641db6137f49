import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ChildProgram, startProgram } from "../../tools/process/child-program.js";

/** A project with this one test file, run with our reporter. */
async function runTests(directory: string, content: string, ...flags: string[]): Promise<ChildProgram> {
  writeFileSync(
    join(directory, "vitest.config.ts"),
    `import { createReporter } from ${JSON.stringify(resolve("tools/test/reporter.js"))};
     export default { test: { reporters: [createReporter()] } };`,
  );
  writeFileSync(join(directory, "some.test.ts"), `import { describe, it } from "vitest";\n${content}`);
  const run = startProgram("node_modules/vitest/vitest.mjs", ["run", "--root", directory, ...flags]);
  await run.ended;
  return run;
}

describe("the reporter", () => {
  let directory = "";
  const run = (content: string, ...flags: string[]): Promise<ChildProgram> => {
    // Inside the repository, where vitest is found.
    mkdirSync(".cache", { recursive: true });
    directory = mkdtempSync(resolve(".cache/reporter-"));
    return runTests(directory, content, ...flags);
  };
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it("ends with the counts, names each contract run, and what it did not verify", async () => {
    const { lines, ended } = await run(`
      describe("contract: first", () => { it("Q-01 one", () => {}); describe("deep", () => it("Q-02 two", () => {})); });
      describe("contract: second (not verified: C-07 C-08 C-09 C-11)", () => it("Q-01 one", () => {}));
      describe("else", () => it("three", () => {}));`);
    expect((await ended).exitCode).toBe(0);
    expect(lines.at(-1)).toBe("4 passed, 0 failed");
    expect(lines).toContain("  first   2 passed, 0 failed");
    expect(lines).toContain("  second  1 passed, 0 failed, not verified: C-07–09 C-11");
  });

  it("says what failed in one line each, and once more at the end, with the ids of all", async () => {
    const { lines } = await run(`
      describe("contract: first (not verified: C-07)", () => {
        it("Q-01 a promise that is broken", () => {
          throw new Error("planted\\n" + "more of it\\n".repeat(100));
        });
      });
      it("fine", () => {});
      it("another", () => { throw new Error("planted, too"); });`);
    const promise = "Q-01 a promise that is broken [first]: planted (";
    const other = "another [some.test.ts]: planted, too (";
    const [first, second] = [promise, other].map((text) => lines.findIndex((line) => line.startsWith(`     ${text}`)));
    expect(lines.at((first ?? 0) - 1)).toMatch(/^FAIL some\.test\.ts {2}1 passed, 2 failed/);
    expect(second).toBeGreaterThan(first ?? 0);
    const summary = lines.slice(lines.indexOf("FAILED, 2 in all"));
    expect(summary.slice(1, 3)).toEqual(["  first: Q-01", "  some.test.ts: another"]);
    expect(summary.slice(3, 5).map((line) => line.split("(")[0])).toEqual(
      [`  ${promise}`, `  ${other}`].map((line) => line.slice(0, -1)),
    );
    expect(summary.slice(5).filter((line) => !line.includes(" files in ") && line !== "")).toEqual([
      "1 passed, 2 failed",
    ]);
    expect(lines.indexOf("Contract runs")).toBeLessThan(lines.indexOf("FAILED, 2 in all"));
  });

  it("counts as failed what failed, was skipped, or broke outside a test, and shows why", async () => {
    const { lines, ended } = await run(`
      import { beforeAll } from "vitest";
      it("fine", () => {});
      it("broken", () => { throw new Error("planted in a test"); });
      it.skip("left out", () => {});
      it.todo("to be written");
      describe("suite", () => {
        beforeAll(() => { throw new Error("planted in a hook"); });
        it("never runs", () => {});
      });
      it("leaves a rejection", async () => {
        void Promise.reject(new Error("planted outside"));
        await new Promise((done) => setTimeout(done, 50));
      });`);
    expect((await ended).exitCode).toBe(1);
    expect(lines.at(-1)).toBe("2 passed, 6 failed");
    const shown = lines.join("\n");
    for (const where of ["in a test", "in a hook", "outside"]) expect(shown).toContain(`planted ${where}`);
    for (const name of ["left out", "to be written"])
      expect(shown).toContain(`${name} [some.test.ts]: skipped, which counts as failed`);
  });

  it("counts as failed a file that cannot be loaded", async () => {
    const { lines, ended } = await run(`throw new Error("planted");`);
    expect((await ended).exitCode).toBe(1);
    expect(lines.at(-1)).toBe("0 passed, 1 failed");
    expect(lines.join("\n")).toContain("planted");
  });

  it("fails a run without tests, and forgives what was not selected by name", async () => {
    const none = await run("");
    expect((await none.ended).exitCode).toBe(1);
    expect(none.lines.at(-1)).toMatch(/^0 passed, [1-9] failed$/);
    rmSync(directory, { recursive: true });
    const selected = await run(`it("this", () => {}); it("that", () => {});`, "-t", "this");
    expect((await selected.ended).exitCode).toBe(0);
    expect(selected.lines.at(-1)).toBe("1 passed, 0 failed");
  });
});
