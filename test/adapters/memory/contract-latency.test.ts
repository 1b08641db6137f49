import { memoryHarness } from "./contract-harness.js";
import { runContract } from "./run-contract.js";

runContract(() => memoryHarness("memory with latency", { latency: { minMs: 0, maxMs: 3 }, countDeliveries: false }));
