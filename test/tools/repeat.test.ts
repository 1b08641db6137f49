import { afterEach, describe, expect, it } from "vitest";
import { type ChildProgram, startProgram } from "../../tools/process/child-program.js";

describe("npm run repeat", () => {
  let program: ChildProgram | undefined;
  const repeat = (...programArguments: string[]): ChildProgram => {
    program = startProgram("dist/tools/repeat.js", programArguments);
    return program;
  };
  afterEach(async () => {
    await program?.end();
  });

  it("runs a file so many times, a line for each, and counts the runs", async () => {
    const run = repeat("2", "test/unit/tools/choose-rabbitmq.test.ts");
    expect((await run.ended).exitCode).toBe(0);
    expect(run.lines).toEqual([
      expect.stringMatching(/^run 1 of 2: 10 passed, 0 failed, [\d.]+ s$/),
      expect.stringMatching(/^run 2 of 2: 10 passed, 0 failed, [\d.]+ s$/),
      "2 passed, 0 failed",
    ]);
  });

  it.each([
    [["x", "choose-rabbitmq"], "how many times must be a whole number"],
    [["2", "no-such-file"], "no test file matches no-such-file"],
    [[], "missing required argument"],
  ])("refuses %j in one line", async (given, reason) => {
    const run = repeat(...given);
    expect((await run.ended).exitCode).toBe(2);
    expect(run.lines).toEqual([expect.stringContaining(reason)]);
  });
});
