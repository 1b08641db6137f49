import { memoryHarness } from "./contract-harness.js";
import { runContract } from "./run-contract.js";

runContract(() => memoryHarness("memory"));
