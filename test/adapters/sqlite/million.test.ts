import { describe, expect, it } from "vitest";
import { newFile } from "./node.js";
import { startWorker } from "./start-worker.js";

/** `FAIRLEAD_SQLITE_MESSAGES=1000000` runs it in full. */
const MESSAGES = Number(process.env.FAIRLEAD_SQLITE_MESSAGES ?? 100_000);

describe(`a queue of ${MESSAGES} messages`, () => {
  it("is opened within two seconds, in 200 MB, and publishes cost what they cost before", async () => {
    const file = newFile();
    const filler = await startWorker("fill", file, MESSAGES);
    await filler.ended();
    const starter = await startWorker("start", file);
    await starter.ended();
    const figures = JSON.parse(starter.lines.at(-1) ?? "");
    process.stdout.write(`${JSON.stringify(figures)}\n`);
    expect(figures.ready).toBe(MESSAGES);
    expect(figures.startMs).toBeLessThan(2_000);
    expect(figures.firstMs).toBeLessThan(2_000);
    expect(figures.rssMb).toBeLessThan(200);
    // The median: what else the machine does shows in the slowest ones.
    expect(figures.full.p50).toBeLessThan(2 * figures.empty.p50 + 10);
  }, 300_000);
});
