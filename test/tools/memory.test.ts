import { describe, expect, it } from "vitest";
import { type ChildProgram, startProgram } from "../../tools/process/child-program.js";

const run = async (
  ...flags: readonly string[]
): Promise<{ readonly code: number | undefined; readonly text: string }> => {
  const program: ChildProgram = startProgram("dist/tools/memory/main.js", flags);
  try {
    const { exitCode } = await program.ended;
    return { code: exitCode, text: program.lines.join("\n") };
  } finally {
    await program.end(5_000);
  }
};

describe("npm run memory", () => {
  it("grows by 40 MB at most under a slow reader of 10,000 items, client and server together", async () => {
    const { code, text } = await run("--broker", "memory:", "--items", "10000", "--calls", "0");
    expect(text).toMatch(/^memory: {2}slow reader, 10000 x 1 KiB: \+-?[\d.]+ MB \(at most 40\) ok {2}\[both /);
    expect(code).toBe(0);
  });

  it("says all faults at once", async () => {
    const { code, text } = await run("--items", "some", "--calls", "-1", "--broker", "kafka:");
    expect(code).toBe(2);
    expect(text).toMatch(/^npm run memory: --items must be .*; --calls must be .*; --broker: .*unknown scheme/);
  });
});
