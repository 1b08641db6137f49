import { memoryHarness } from "./contract-harness.js";
import { runContract } from "./run-contract.js";

runContract(() =>
  memoryHarness("memory with all capabilities masked", {
    capabilities: {
      queue: { deadLetter: false, delayedDelivery: false, expiry: false, priority: false },
      broadcast: { loopback: false },
      inspection: "none",
    },
  }),
);
