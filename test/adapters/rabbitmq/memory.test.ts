import { expect, it } from "vitest";
import { startProgram } from "../../../tools/process/child-program.js";
import { brokerUrl } from "./broker.js";

it("a slow reader of 10,000 items makes client and server together grow by 40 MB at most", async () => {
  const flags = ["--broker", brokerUrl, "--items", "10000", "--calls", "0"];
  const program = startProgram("dist/tools/memory/main.js", flags);
  try {
    const { exitCode } = await program.ended;
    expect(program.lines.join("\n")).toMatch(
      /slow reader, 10000 x 1 KiB: \+-?[\d.]+ MB \(at most 40\) ok {2}\[client /,
    );
    expect(exitCode).toBe(0);
  } finally {
    await program.end(5_000);
  }
});
