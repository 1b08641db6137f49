import { afterAll, beforeAll, describe, it } from "vitest";
import { contractTests } from "../../../src/contract/index.js";
import { nodeHarness } from "./harness.js";

const runner = { describe, it: (name: string, run: () => Promise<void>) => it(name, run, 150_000) };

for (const queueType of ["quorum", "classic"] as const) {
  const { harness, start, stop } = nodeHarness(queueType);
  beforeAll(start);
  afterAll(stop);
  contractTests(runner, harness);
}
