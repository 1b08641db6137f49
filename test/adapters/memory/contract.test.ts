import { describe, it } from "vitest";
import { contractTests } from "../../../src/contract/index.js";
import { memoryHarness } from "./contract-harness.js";

const runner = { describe, it: (name: string, run: () => Promise<void>) => it(name, run, 60_000) };

contractTests(runner, memoryHarness("memory"));
